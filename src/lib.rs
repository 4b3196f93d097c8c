//! A WebSocket hub for live room updates that runs on its own threads inside a Node.js process.
//!
//! Modules stand on floors and import from lower ones only (`docs/architecture.md`); Node-API is named under `node`
//! alone, `unsafe` in `transport` alone.

pub mod address;
pub mod admission;
pub mod arrival;
pub mod close;
pub mod cluster;
pub mod codec;
pub mod errand;
pub mod frame;
pub mod handshake;
pub mod hub;
pub mod local;
pub mod message;
pub mod metrics;
mod node;
pub mod notice;
pub mod options;
pub mod outbox;
pub mod rate;
pub mod room;
pub mod room_id;
pub mod session;
pub mod shard;
pub mod shared;
pub mod transport;
pub mod update;
pub mod user;
