//! The Node-API surface: arguments in, one call, result out; and the mailbox through which the hub's threads speak.

mod convert;
mod event;
mod hub;
mod mailbox;
mod rooms;
