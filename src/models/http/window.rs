//! How large the window of a model is, as its server says.

use std::time::Duration;

use futures::FutureExt;
use serde_json::Value;
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};

/// A turn waits for it to begin.
const LOOK_LIMIT: Duration = Duration::from_secs(2);
/// A server may be started anew with another window.
const FRESH_FOR: Duration = Duration::from_secs(600);
/// A server that says nothing is not asked at every turn.
const SILENT_FOR: Duration = Duration::from_secs(60);

/// Something that a server was asked for, kept for a while. Who comes while it is asked waits for that answer.
pub struct Asked<T> {
    last: Mutex<Option<(Instant, Option<T>)>>,
}

impl<T> Default for Asked<T> {
    fn default() -> Self {
        Self { last: Mutex::new(None) }
    }
}

impl<T: Clone> Asked<T> {
    /// `None` where the server does not say, or not in time.
    pub async fn get(&self, ask: impl Future<Output = Option<T>>) -> Option<T> {
        self.get_at(Instant::now(), timeout(LOOK_LIMIT, ask).map(|said| said.ok().flatten())).await
    }

    /// What is known without asking.
    pub fn known(&self) -> Option<T> {
        self.last.try_lock().ok()?.as_ref()?.1.clone()
    }

    async fn get_at(&self, now: Instant, ask: impl Future<Output = Option<T>>) -> Option<T> {
        let mut last = self.last.lock().await;
        if let Some((at, said)) = &*last
            && now.duration_since(*at) < if said.is_some() { FRESH_FOR } else { SILENT_FOR }
        {
            return said.clone();
        }
        let said = ask.await.or_else(|| last.take()?.1);
        *last = Some((now, said.clone()));
        said
    }
}

/// The window, in tokens, that an entry of a list of models states under one of its many names: Anthropic's, vLLM's,
/// OpenRouter's, Groq's, LM Studio's for the loaded model, llama.cpp's.
pub fn stated(entry: &Value) -> Option<u64> {
    let names = [
        "/max_input_tokens",
        "/max_model_len",
        "/loaded_context_length",
        "/context_length",
        "/context_window",
        "/meta/n_ctx",
    ];
    names.iter().find_map(|name| entry.pointer(name)?.as_u64()).filter(|window| *window > 0)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use serde_json::json;

    use super::*;

    #[test]
    fn the_window_is_found_under_each_name() {
        for entry in [
            json!({"max_input_tokens": 8192}),
            json!({"id": "m", "max_model_len": 8192}),
            json!({"loaded_context_length": 8192, "max_context_length": 32768}),
            json!({"context_length": 8192}),
            json!({"context_window": 8192}),
            json!({"meta": {"n_ctx": 8192, "n_ctx_train": 32768}}),
        ] {
            assert_eq!(stated(&entry), Some(8192), "{entry}");
        }
        for entry in [json!({}), json!({"context_length": 0}), json!({"context_length": "8192"}), Value::Null] {
            assert_eq!(stated(&entry), None, "{entry}");
        }
    }

    #[tokio::test]
    async fn an_answer_is_kept_for_a_while_and_outlives_a_silence() {
        let (asked, count, start) = (&Asked::default(), &AtomicU32::new(0), Instant::now());
        let ask = |at, said: Option<u64>| {
            let ask = async move {
                count.fetch_add(1, Ordering::Relaxed);
                said
            };
            asked.get_at(at, ask)
        };
        assert_eq!(asked.known(), None);
        assert_eq!(ask(start, Some(1)).await, Some(1));
        assert_eq!(asked.known(), Some(1));
        assert_eq!(ask(start + FRESH_FOR / 2, Some(2)).await, Some(1), "still fresh");
        assert_eq!(ask(start + FRESH_FOR, None).await, Some(1), "nothing newer is known");
        assert_eq!(ask(start + FRESH_FOR * 2, Some(2)).await, Some(2));
        assert_eq!(count.load(Ordering::Relaxed), 3);
    }

    #[tokio::test]
    async fn a_server_that_says_nothing_is_asked_again_soon_but_not_at_once() {
        let (asked, start) = (Asked::default(), Instant::now());
        assert_eq!(asked.get_at(start, async { None }).await, None::<u64>);
        assert_eq!(asked.get_at(start, async { Some(1) }).await, None);
        assert_eq!(asked.get_at(start + SILENT_FOR, async { Some(1) }).await, Some(1));
    }
}
