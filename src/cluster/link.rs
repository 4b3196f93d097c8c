//! A connection to Redis, or to a Redis Cluster, and the scripts that it has been taught.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster::ClusterClientBuilder;
use redis::cluster_async::ClusterConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, ErrorKind, ProtocolVersion, PushInfo, Value};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

use super::address::Address;
use super::fault::{Fault, unexpected};

/// How long Redis has for an answer, and for a connection.
pub(super) const ANSWER: Duration = Duration::from_secs(1);
/// Sharded pub/sub came with this version.
const OLDEST: u32 = 7;

const OPEN: &str = include_str!("scripts/open.lua");

/// What Redis tells without being asked.
pub(super) type Pushes = UnboundedReceiver<PushInfo>;

/// A script that Redis runs as one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Script {
    Publish,
    Sync,
    Forget,
    Tell,
    Beat,
}

impl Script {
    const ALL: [Self; 5] = [Self::Publish, Self::Sync, Self::Forget, Self::Tell, Self::Beat];

    fn text(self) -> String {
        match self {
            Self::Publish => [OPEN, include_str!("scripts/publish.lua")].concat(),
            Self::Sync => [OPEN, include_str!("scripts/sync.lua")].concat(),
            Self::Forget => [OPEN, include_str!("scripts/forget.lua")].concat(),
            Self::Tell => include_str!("scripts/tell.lua").into(),
            Self::Beat => include_str!("scripts/beat.lua").into(),
        }
    }
}

#[derive(Clone)]
enum Connection {
    One(MultiplexedConnection),
    Many(ClusterConnection),
}

/// A connection that is in use. It is given up at the first failure and never mended: what it has missed meanwhile is
/// known only from the beginning of another one.
#[derive(Clone)]
pub(super) struct Link {
    connection: Connection,
    address: Arc<Address>,
    /// What Redis knows the scripts by.
    digests: Arc<[String; 5]>,
    /// Which start of which server it is to; none where that may change.
    run_id: Option<Arc<str>>,
}

impl Link {
    /// Connects to the first server that answers; whether it is one of a Redis Cluster, it says itself.
    pub(super) async fn open(address: Arc<Address>) -> Result<(Self, Pushes), Fault> {
        if address.tls {
            // Taken where the process has none yet. It fails where it has one, which serves as well.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let mut fault = unexpected();
        for node in &address.nodes {
            match Self::open_at(&address, node).await {
                Ok(opened) => return Ok(opened),
                Err(failure) => fault = failure,
            }
        }
        Err(fault)
    }

    async fn open_at(
        address: &Arc<Address>,
        node: &redis::ConnectionInfo,
    ) -> Result<(Self, Pushes), Fault> {
        let failed = |error: redis::RedisError| Fault::of(&error, address);
        let (sender, pushes) = unbounded_channel();
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(ANSWER))
            .set_response_timeout(Some(ANSWER))
            .set_push_sender(sender.clone());
        let client = Client::open(node.clone()).map_err(failed)?;
        let connecting = client.get_multiplexed_async_connection_with_config(&config);
        let connection = timeout(ANSWER, connecting)
            .await
            .map_err(|_| Fault::Away("no answer within 1 s".into()))?
            .map_err(failed)?;
        let mut link = Self {
            connection: Connection::One(connection),
            address: address.clone(),
            digests: Arc::default(),
            run_id: None,
        };
        let mut info = redis::cmd("INFO");
        info.arg("server");
        let Value::VerbatimString { text: info, .. } = link.ask(info).await? else {
            return Err(unexpected());
        };
        check_version(&info)?;
        // The second is Valkey's.
        let mode = field(&info, "redis_mode").or_else(|| field(&info, "server_mode"));
        if mode == Some("cluster") {
            link.connection = Connection::Many(join_cluster(address, sender).await?);
        } else {
            link.run_id = field(&info, "run_id").map(Into::into);
        }
        link.learn().await?;
        Ok((link, pushes))
    }

    /// Teaches Redis the scripts: all primaries of a Redis Cluster.
    async fn learn(&mut self) -> Result<(), Fault> {
        let mut digests: [String; 5] = Default::default();
        for (script, digest) in Script::ALL.into_iter().zip(&mut digests) {
            let mut load = redis::cmd("SCRIPT");
            load.arg("LOAD").arg(script.text());
            *digest = text_of(self.ask(load).await?).ok_or_else(unexpected)?;
        }
        self.digests = Arc::new(digests);
        Ok(())
    }

    /// The run id of the server; empty where calls may go to different ones.
    pub(super) fn run_id(&self) -> &str {
        self.run_id.as_deref().unwrap_or_default()
    }

    /// Sends a command; the answer is no error.
    pub(super) async fn ask(&self, command: Cmd) -> Result<Value, Fault> {
        let mut connection = self.connection.clone();
        let asking = async {
            match &mut connection {
                Connection::One(one) => one.req_packed_command(&command).await,
                Connection::Many(many) => many.req_packed_command(&command).await,
            }
        };
        let answer = match timeout(ANSWER, asking).await {
            Ok(answer) => answer.and_then(Value::extract_error),
            Err(_) => return Err(Fault::Away("no answer within 1 s".into())),
        };
        answer.map_err(|error| Fault::of(&error, &self.address))
    }

    /// Runs a script. What it answers begins with its first key: so an answer to another question is found out.
    pub(super) async fn run(
        &self,
        script: Script,
        keys: &[&str],
        write: impl FnOnce(&mut Cmd),
    ) -> Result<Vec<Value>, Fault> {
        let mut command = redis::cmd("EVALSHA");
        command.arg(&self.digests[script as usize]).arg(keys.len()).arg(keys);
        write(&mut command);
        let Value::Array(answer) = self.ask(command).await? else { return Err(unexpected()) };
        match answer.first() {
            Some(Value::BulkString(key)) if **key == *keys[0].as_bytes() => Ok(answer),
            _ => Err(unexpected()),
        }
    }
}

async fn join_cluster(
    address: &Address,
    sender: UnboundedSender<PushInfo>,
) -> Result<ClusterConnection, Fault> {
    let failed = |error: redis::RedisError| Fault::of(&error, address);
    let client = ClusterClientBuilder::new(address.nodes.clone())
        .use_protocol(ProtocolVersion::RESP3)
        .connection_timeout(ANSWER)
        .response_timeout(ANSWER)
        .tcp_settings(address.nodes[0].tcp_settings().clone())
        .push_sender(sender)
        .build()
        .map_err(failed)?;
    match timeout(ANSWER, client.get_async_connection()).await {
        Ok(connected) => connected.map_err(|error| match error.kind() {
            ErrorKind::InvalidClientConfig => {
                Fault::Away(format!("the Redis Cluster cannot be used: {error}"))
            }
            _ => failed(error),
        }),
        Err(_) => Err(Fault::Away("no answer within 1 s".into())),
    }
}

/// One field of what INFO says.
fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
}

fn check_version(info: &str) -> Result<(), Fault> {
    let version = field(info, "redis_version").unwrap_or("an unknown version");
    let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_some_and(|major| major < OLDEST) {
        return Err(Fault::TooOld(format!("it is Redis {version}")));
    }
    Ok(())
}

/// A string, in whichever form.
pub(super) fn text_of(value: Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).ok(),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => Some(text),
        Value::Int(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_before_7_are_too_old() {
        let info =
            |version| format!("# Server\r\nredis_version:{version}\r\nredis_mode:standalone\r\n");
        for fine in ["7.0.0", "7.2.4", "8.1.0", "255.255.255"] {
            assert_eq!(check_version(&info(fine)), Ok(()));
        }
        for old in ["6.2.14", "5.0.7"] {
            assert!(matches!(check_version(&info(old)), Err(Fault::TooOld(_))));
        }
        assert_eq!(field(&info("7.0.0"), "redis_mode"), Some("standalone"));
    }
}
