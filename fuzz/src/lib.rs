//! What the fuzz targets share: a hub whose threads and clock are played, clients that check every byte that they are
//! sent, and what they are to be told.

pub mod client;
pub mod frames;
pub mod memory;
pub mod scene;
pub mod stage;
pub mod step;
pub mod truth;
pub mod wire;
pub mod witness;
