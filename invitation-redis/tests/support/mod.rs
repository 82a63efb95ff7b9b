//! Support code of the tests on Redis.

// Each test program uses a part of it.
#![allow(dead_code, unreachable_pub, unused_imports)]
#![allow(clippy::allow_attributes, clippy::unwrap_used)]

pub mod load;
pub mod whole;

use std::sync::atomic::{AtomicU32, Ordering};

pub use invitation_conformance::people::{admin, redeemer as newcomer, staff};
use invitation_redis::{OpenError, Persistence, RedisOptions, RedisStore};

/// Returns a namespace that no other test of the program has, on a server that persists
/// nothing.
pub fn options() -> RedisOptions {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    in_namespace(&format!("test-{}-{n}", std::process::id()))
}

pub fn in_namespace(name: &str) -> RedisOptions {
    RedisOptions::new().with_namespace(name.parse().unwrap()).expecting(Persistence::Nothing)
}

/// The address of a store, which can be passed to other processes as text.
#[derive(Clone)]
pub enum Place {
    Server(String),
    Cluster(Vec<String>),
}

impl Place {
    pub fn to_text(&self) -> String {
        match self {
            Self::Server(url) => url.clone(),
            Self::Cluster(urls) => urls.join(","),
        }
    }

    pub fn from_text(text: &str) -> Self {
        if text.contains(',') {
            Self::Cluster(text.split(',').map(str::to_owned).collect())
        } else {
            Self::Server(text.to_owned())
        }
    }

    pub async fn try_open(&self, namespace: &str) -> Result<RedisStore, OpenError> {
        let options = in_namespace(namespace);
        match self {
            Self::Server(url) => RedisStore::connect(url, options).await,
            Self::Cluster(urls) => {
                let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
                RedisStore::connect_cluster(&urls, options).await
            }
        }
    }

    /// Opens the store, and retries during failures.
    pub async fn open(&self, namespace: &str) -> RedisStore {
        let mut last = None;
        for _ in 0..200 {
            match self.try_open(namespace).await {
                Ok(store) => return store,
                Err(error) => last = Some(error),
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        panic!("{last:?}");
    }
}

/// Returns all data of a server, to compare with later.
pub fn snapshot(server: &invitation_testkit::Redis) -> Vec<(String, String)> {
    let keys = server.ask(&["KEYS", "*"]).unwrap();
    let mut keys: Vec<&str> = keys.lines().filter(|key| !key.is_empty()).collect();
    keys.sort_unstable();
    let content = |key: &&str| {
        let script = "
            if redis.call('TYPE', KEYS[1]).ok == 'zset' then
              return redis.call('ZRANGE', KEYS[1], 0, -1)
            end
            if redis.call('TYPE', KEYS[1]).ok == 'list' then
              return redis.call('LRANGE', KEYS[1], 0, -1)
            end
            local fields = redis.call('HKEYS', KEYS[1])
            table.sort(fields)
            local all = {}
            for n, field in ipairs(fields) do
              all[n] = field .. '=' .. redis.call('HGET', KEYS[1], field)
            end
            return all";
        (key.to_string(), server.ask(&["EVAL", script, "1", key]).unwrap())
    };
    keys.iter().map(content).collect()
}
