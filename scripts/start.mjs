// `npm start`: sets up what is missing, then runs the bot in small within this process, so that
// signals reach it directly.
import { createRequire } from 'node:module';
import { endWithNpm } from './run.mjs';
import { setUp } from './setup.mjs';

endWithNpm();
await setUp();
await createRequire(import.meta.url)('../examples/bot/src/bot/core/bot.js').startApiServer();
