module.exports = require('roomcast').roomWebSocketService;
