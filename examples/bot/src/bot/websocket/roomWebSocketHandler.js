module.exports = require('roomcast');
