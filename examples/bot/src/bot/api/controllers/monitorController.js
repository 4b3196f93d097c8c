'use strict';

/** GET /api/monitor?since=… */
function getSamples(req, res) {
  const since = Number(req.query.since) || 0;
  res.set('Cache-Control', 'no-store').json(req.app.get('monitor').read(since));
}

/** GET /metrics, for Prometheus */
function getMetrics(req, res) {
  res.type('text/plain; version=0.0.4').send(req.app.get('rooms').metrics());
}

/**
 * GET /healthz: whether a load balancer should send anybody here. The database is not asked: a bot that
 * waits for it is not to be replaced.
 */
function getHealth(req, res) {
  const draining = req.app.get('draining') === true;
  res
    .set('Cache-Control', 'no-store')
    .status(draining ? 503 : 200)
    .json({ ok: !draining });
}

module.exports = { getHealth, getMetrics, getSamples };
