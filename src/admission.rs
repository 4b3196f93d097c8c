//! How many connections there may be, in all and of one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
        match self.addresses().get(&address) {
            Some(&open) if open >= limit => Err(Refusal::TooManyConnectionsFromAddress),
            _ => Ok(()),
        }
    }

    /// Counts one more connection until the permit is dropped, whatever the limits are: for the one thread that has
    /// just had [`check`](Self::check) say yes.
    pub fn admit(self: &Arc<Self>, address: Option<IpAddr>) -> Permit {
        self.open.fetch_add(1, Ordering::Relaxed);
        if let Some(address) = address.filter(|_| self.limit_per_address.is_some()) {
            *self.addresses().entry(address).or_default() += 1;
        }
        Permit { admission: self.clone(), address }
    }

    /// Counts one more connection until the permit is dropped, where there is room for it: however many threads ask at
    /// once, no limit is passed.
    ///
    /// # Errors
    /// The limit that is reached; nothing is taken then.
    pub fn try_admit(self: &Arc<Self>, address: Option<IpAddr>) -> Result<Permit, Refusal> {
        let limit = self.limit.unwrap_or(usize::MAX);
        let one_more = |open| (open < limit).then_some(open + 1);
        self.open
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more)
            .map_err(|_| Refusal::TooManyConnections)?;
        if let (Some(limit), Some(address)) = (self.limit_per_address, address) {
            let mut addresses = self.addresses();
            let open = addresses.get(&address).copied().unwrap_or_default();
            if open >= limit {
                self.open.fetch_sub(1, Ordering::Relaxed);
                return Err(Refusal::TooManyConnectionsFromAddress);
            }
            addresses.insert(address, open + 1);
        }
        Ok(Permit { admission: self.clone(), address })
    }

    fn addresses(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner)
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
        let mut addresses = self.admission.addresses();
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

    #[test]
    fn takes_nothing_where_it_refuses() {
        let admission = Arc::new(Admission::new(Some(2), Some(1)));
        let (near, far): (IpAddr, IpAddr) =
            ("127.0.0.1".parse().unwrap(), "127.0.0.2".parse().unwrap());
        let first = admission.try_admit(Some(near)).unwrap();
        let refused = admission.try_admit(Some(near)).unwrap_err();
        assert_eq!(refused, Refusal::TooManyConnectionsFromAddress);
        let second = admission.try_admit(Some(far)).unwrap();
        assert_eq!(admission.try_admit(None).unwrap_err(), Refusal::TooManyConnections);
        assert_eq!(admission.open(), 2);
        drop((first, second));
        assert_eq!(admission.open(), 0);
        assert!(admission.addresses.lock().unwrap().is_empty());
    }

    #[test]
    fn no_limit_is_passed_by_threads_that_ask_at_once() {
        for (limit, per_address) in [(Some(10), None), (None, Some(10))] {
            let admission = Arc::new(Admission::new(limit, per_address));
            let address = Some("127.0.0.1".parse().unwrap());
            let start = std::sync::Barrier::new(4);
            let permits: Vec<Permit> = std::thread::scope(|scope| {
                let ask = || {
                    start.wait();
                    (0..100).filter_map(|_| admission.try_admit(address).ok()).collect::<Vec<_>>()
                };
                let threads: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
                threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
            });
            assert_eq!((permits.len(), admission.open()), (10, 10));
        }
    }
}
