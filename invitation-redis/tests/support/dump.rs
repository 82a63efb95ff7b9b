//! All keys of a namespace and their contents, as bytes.

use invitation_redis::redis::{self, Value};

/// Appends the bytes of an answer.
pub(crate) fn append(contents: &mut Vec<u8>, answer: Value) {
    match answer {
        Value::BulkString(bytes) => contents.extend(bytes),
        Value::SimpleString(text) => contents.extend(text.into_bytes()),
        Value::Array(answers) => answers.into_iter().for_each(|one| append(contents, one)),
        other => contents.extend(format!("{other:?}").into_bytes()),
    }
    contents.push(b'\n');
}

/// Returns the bytes of all keys and their contents.
pub(crate) async fn dump(url: &str, namespace: &str) -> Vec<u8> {
    let client = redis::Client::open(url).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let keys: Vec<String> = redis::cmd("KEYS")
        .arg(format!("*{namespace}*"))
        .query_async(&mut connection)
        .await
        .unwrap();
    assert!(keys.len() > 4, "{keys:?}");
    let mut contents = Vec::new();
    for key in keys {
        let kind: String = redis::cmd("TYPE").arg(&key).query_async(&mut connection).await.unwrap();
        let mut read = match kind.as_str() {
            "hash" => redis::cmd("HGETALL"),
            "zset" => redis::cmd("ZRANGE"),
            "list" => redis::cmd("LRANGE"),
            other => panic!("{key} is a {other}"),
        };
        read.arg(&key);
        if kind != "hash" {
            read.arg(0).arg(-1);
        }
        contents.extend(key.into_bytes());
        append(&mut contents, read.query_async(&mut connection).await.unwrap());
    }
    contents
}
