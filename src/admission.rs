//! How many connections there may be, in all and of one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::handshake::Refusal;

/// Counts the open connections of a hub against its limits.
#[derive(Debug, Default)]
pub struct Admission {
    open: AtomicUsize,
    limit: Option<usize>,
    limit_per_address: Option<usize>,
    /// Kept only where there is a limit.
    addresses: Mutex<HashMap<IpAddr, usize>>,
}

impl Admission {
    /// Counts against these limits.
    pub fn new(limit: Option<usize>, limit_per_address: Option<usize>) -> Self {
        Self { limit, limit_per_address, ..Self::default() }
    }

    /// Open connections.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Whether one more would be let in; takes nothing.
    ///
    /// # Errors
    /// The limit that is reached.
    pub fn check(&self, address: Option<IpAddr>) -> Result<(), Refusal> {
        if self.limit.is_some_and(|limit| self.open() >= limit) {
            return Err(Refusal::TooManyConnections);
        }
        let (Some(limit), Some(address)) = (self.limit_per_address, address) else {
            return Ok(());
        };
        let addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        match addresses.get(&address) {
            Some(&open) if open >= limit => Err(Refusal::TooManyConnectionsFromAddress),
            _ => Ok(()),
        }
    }

    /// Counts one more connection until the permit is dropped. To be asked for where [`check`](Self::check) said yes;
    /// threads that accept at once may go over a limit by one each.
    pub fn admit(self: &Arc<Self>, address: Option<IpAddr>) -> Permit {
        self.open.fetch_add(1, Ordering::Relaxed);
        if let Some(address) = address.filter(|_| self.limit_per_address.is_some()) {
            *self
                .addresses
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(address)
                .or_default() += 1;
        }
        Permit { admission: self.clone(), address }
    }
}

/// One connection's place; free again when dropped.
#[derive(Debug)]
pub struct Permit {
    admission: Arc<Admission>,
    address: Option<IpAddr>,
}

impl Permit {
    /// Where the connection comes from.
    pub fn address(&self) -> Option<IpAddr> {
        self.address
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.admission.open.fetch_sub(1, Ordering::Relaxed);
        let limited = self.admission.limit_per_address.is_some();
        let Some(address) = self.address.filter(|_| limited) else { return };
        let mut addresses = self.admission.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = addresses.get_mut(&address) {
            *open -= 1;
            if *open == 0 {
                addresses.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_up_to_the_limits_and_down_again() {
        let admission = Arc::new(Admission::new(Some(2), Some(1)));
        let (near, far): (IpAddr, IpAddr) =
            ("127.0.0.1".parse().unwrap(), "127.0.0.2".parse().unwrap());
        let first = admission.admit(Some(near));
        assert_eq!(admission.check(Some(near)), Err(Refusal::TooManyConnectionsFromAddress));
        assert_eq!(admission.check(Some(far)), Ok(()));
        let second = admission.admit(Some(far));
        assert_eq!(admission.check(None), Err(Refusal::TooManyConnections));
        drop((first, second));
        assert_eq!((admission.open(), admission.check(Some(near))), (0, Ok(())));
        assert!(admission.addresses.lock().unwrap().is_empty());
    }
}
