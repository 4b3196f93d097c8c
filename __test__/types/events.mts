// Every event, right and wrong. What compiles here is right; what is wrong says so.
import { once } from 'node:events';
import type {
  ClusterState,
  HubError,
  HubErrorCode,
  RoomClient,
  RoomId,
  RoomServerEvents,
  RoomWebSocketServer,
} from 'roomcast';

declare const hub: RoomWebSocketServer<{ name: string }>;

// What a listener is given
hub.on('connection', client => client.close(4001, `Bye, ${client.data.name}`));
// @ts-expect-error there is no request: authenticate has it
hub.on('connection', (_client, request) => request);

hub.on('disconnect', (client, code, reason) => `${client.userId} ${code + 1} ${reason.length}`);
// @ts-expect-error the code is a number
hub.on('disconnect', (_client, code: string) => code);

hub.on('join', (client, roomId: RoomId) => `${client.id + 1} ${roomId}`);
// @ts-expect-error a room id may be a string
hub.on('join', (_client, roomId: number) => roomId);

hub.on('leave', (client: RoomClient<{ name: string }>, roomId) => `${client.userId} ${roomId}`);
// @ts-expect-error that is all
hub.on('leave', (_client, _roomId, reason) => reason);

hub.on('slow', client => client.remoteAddress?.length);
// @ts-expect-error the address may not be known
hub.on('slow', client => client.remoteAddress.length);

hub.on('cluster', (state: ClusterState) => state === 'away');
// @ts-expect-error it is up or away
hub.on('cluster', state => state === 'down');

hub.on('error', (error: HubError) => error.message + error.code?.length);
hub.on('error', error => error.code === 'SHARD_PANIC');
// @ts-expect-error it may have no code
hub.on('error', error => error.code.length);
const code: HubErrorCode = 'CLUSTER_AUTH';
// @ts-expect-error no such code
const noCode: HubErrorCode = 'CLUSTER_DOWN';

hub.on('close', () => {});
// @ts-expect-error it tells nothing more
hub.on('close', reason => reason);

// @ts-expect-error no such event
hub.on('conection', () => {});
// @ts-expect-error no such event: those of the pages stay with the hub
hub.on('message', () => {});
// @ts-expect-error a listener is a function
hub.on('join', 'log');

// What takes listeners, each by any event
const all: (keyof RoomServerEvents)[] = ['connection', 'close'];
for (const event of all) hub.on(event, () => {}).off(event, () => {});
hub
  .once('disconnect', (_client, status) => status + 1)
  .off('leave', (client: RoomClient) => client.userId)
  .addListener('error', error => error.message)
  .removeListener('error', (error: Error) => error.message)
  .prependListener('slow', client => client.userId)
  .prependOnceListener('cluster', state => state.length)
  .removeAllListeners('close')
  .removeAllListeners();
// @ts-expect-error no such event
hub.once('conection', () => {});
// @ts-expect-error the code is a number
hub.once('disconnect', (_client, status: string) => status);
// @ts-expect-error no such event
hub.off('conection', () => {});
// @ts-expect-error no such event
hub.addListener('conection', () => {});
// @ts-expect-error no such event
hub.removeListener('conection', () => {});
// @ts-expect-error no such event
hub.prependListener('conection', () => {});
// @ts-expect-error no such event
hub.prependOnceListener('conection', () => {});
// @ts-expect-error no such event
hub.removeAllListeners('conection');

// What a test of the bot does
hub.emit('cluster', 'away');
// @ts-expect-error without the state
hub.emit('cluster');
// @ts-expect-error it is up or away
hub.emit('cluster', 'down');
const listeners: number = hub.listenerCount('slow') + hub.listenerCount('join', () => {});
// @ts-expect-error no such event
hub.listenerCount('conection');

// It is an emitter of Node's
export const closed = once(hub, 'close');

void [code, noCode, listeners];
