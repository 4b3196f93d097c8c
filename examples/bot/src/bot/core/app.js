'use strict';

const path = require('node:path');
const express = require('express');
const MainRoomController = require('../api/controllers/mainRoomController');
const MonitorController = require('../api/controllers/monitorController');
const SessionController = require('../api/controllers/sessionController');
const { HttpError, answerError, notFound } = require('../api/errors');

const PUBLIC = path.join(__dirname, '../../../public');
const HEADERS = {
  'Content-Security-Policy':
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
};

/**
 * The bot's pages and its HTTP API. It finds the hub and the monitor in its settings `rooms` and
 * `monitor`.
 *
 * @param {{ sessions: ReturnType<import('../api/sessions').openSessions>, trustProxy: number }} parts
 */
function createApiApp({ sessions, trustProxy }) {
  const app = express();
  app.disable('x-powered-by');
  app.set('trust proxy', trustProxy);
  app.use((_req, res, next) => {
    res.set(HEADERS);
    // Node lets a connection live that is busy when its server closes, and a proxy goes on asking over it.
    if (app.get('draining')) res.set('Connection', 'close');
    next();
  });

  app.get('/healthz', MonitorController.getHealth);
  app.get('/metrics', MonitorController.getMetrics);
  app.get('/api/monitor', MonitorController.getSamples);
  app.use('/api', sessions.middleware, requireJson, express.json({ limit: '10kb' }), api());
  app.use('/roomcast', express.static(folderOf('roomcast/client')));
  app.use('/vendor/uplot', express.static(folderOf('uplot')));
  // /monitor is monitor.html.
  app.use(express.static(PUBLIC, { extensions: ['html'] }));

  app.use(notFound);
  app.use(answerError);
  return app;
}

function api() {
  const { getSession, requireUser, signIn, signOut } = SessionController;
  const { listRooms, getRoom, joinRoom, leaveRoom, loadRoom } = MainRoomController;
  const router = express.Router();
  router.post('/session', signIn);
  router.delete('/session', signOut);
  router.use(requireUser);
  router.get('/session', getSession);
  router.get('/rooms', listRooms);
  router.get('/rooms/:id', loadRoom, getRoom);
  router.post('/rooms/:id/join', loadRoom, joinRoom);
  router.post('/rooms/:id/leave', loadRoom, leaveRoom);
  return router;
}

/** A form on another site can post, with the user's cookie, but it cannot post JSON. */
function requireJson(req, _res, next) {
  if (req.method === 'POST' && !/^application\/json\b/i.test(req.headers['content-type'])) {
    throw new HttpError(415, 'Content-Type has to be application/json');
  }
  next();
}

const folderOf = module => path.dirname(require.resolve(module));

module.exports = { createApiApp };
