'use strict';

// An editor explains whatever it offers: each name in the declaration files has prose, and it is shown.

const assert = require('node:assert/strict');
const { before, describe, it } = require('node:test');
const { declarationsOf, hover } = require('./support/declarations');

/** Said once, where the class takes them over. */
const INHERITED = /^RoomWebSocketServer\.(?=(\w+)$)/;

for (const file of ['index.d.ts', 'client/room-client.d.ts']) {
  it(`${file} says of everything in it what it is`, () => {
    const { parts, membersOf } = declarationsOf(file);
    assert.ok(parts.length > 50);
    const service = file === 'index.d.ts' ? membersOf('RoomService') : [];
    const silent = parts
      .filter(({ prose }) => !/\w+/.test(prose ?? ''))
      .map(({ name }) => name)
      .filter(name => !service.includes(INHERITED.exec(name)?.[1]));
    assert.deepEqual(silent, []);
  });
}

describe('an editor', () => {
  let shown;
  before(() => {
    shown = hover(`
      import { |broadcastRoomUpdate, setupRoomWebSocketServer } from 'roomcast';
      const rooms = setupRoomWebSocketServer({ port: 0, |slowTimeout: 5_000 });
      rooms.|on('slow', client => client.userId);
      rooms.|notifyParticipantJoin(1, 'Ada', 1, 2);
    `);
  });

  it('shows what a function does', () => {
    const { signature, prose } = shown[0];
    assert.match(signature, /eventType: "join" \| "leave"/);
    assert.match(prose, /one short call/);
  });

  it('shows what an option does, its unit and its default', () => {
    const { signature, prose } = shown[1];
    assert.match(signature, /slowTimeout\?: number/);
    assert.match(prose, /milliseconds/);
    assert.match(prose, /Default: 10 000/);
  });

  it('shows what an event tells, not what every emitter does', () => {
    const { signature, prose } = shown[2];
    assert.match(signature, /event: "slow", listener: \(client: RoomClient</);
    assert.match(prose, /does not keep up/);
  });

  it('shows of a hub what the service says', () => {
    const { signature, prose } = shown[3];
    assert.match(signature, /RoomWebSocketServer<unknown>\.notifyParticipantJoin/);
    assert.match(prose, /somebody joined/);
  });
});
