//! Spans for a collector of OpenTelemetry: requests, turns, model calls and tool calls, by OTLP over HTTP. The feature
//! `otel`; without it stands `no_traces.rs` in this place. The standard variables say where they go, and without them
//! nothing goes anywhere.
//!
//! What is sent are the spans that the process log has, too: names, numbers and times. Lines of the log are not, and no
//! field of a span holds a text of a conversation.

use std::{
    collections::HashMap,
    env,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use opentelemetry::{
    Context, Key, KeyValue, Value,
    trace::{SpanId, TraceContextExt, TracerProvider},
};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{BatchSpanProcessor, SdkTracerProvider, Span, SpanData, SpanProcessor},
};
use reqwest::{blocking::Client, redirect};
use tracing_subscriber::{Layer, Registry, filter::filter_fn};

const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
const PROTOCOLS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
const TIMEOUTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"];
/// The only one that this speaks, and the standard's default.
const PROTOCOL: &str = "http/protobuf";
/// The standard's.
const TIMEOUT: Duration = Duration::from_secs(10);
/// What the end of the process waits for the last spans.
const LAST_WAIT: Duration = Duration::from_secs(1);
/// What the standard calls a service that nobody named.
const UNNAMED: &str = "unknown_service";

/// What the process log is started with.
#[derive(Default)]
pub struct Traces {
    pub layer: Option<Box<dyn Layer<Registry> + Send + Sync>>,
    pub sending: Sending,
    /// Why nothing is sent, where something should be.
    pub trouble: Option<String>,
}

/// Sends until the end.
#[derive(Default)]
pub struct Sending(Option<SdkTracerProvider>);

impl Sending {
    /// Sends what is left.
    pub fn finish(self) {
        let Some(provider) = self.0 else { return };
        if let Err(error) = provider.shutdown_with_timeout(LAST_WAIT) {
            tracing::warn!(%error, "the last spans were not sent");
        }
    }
}

pub fn start() -> Traces {
    let Some(endpoint) = endpoint(&|name| env::var(name).ok()) else { return Traces::default() };
    let provider = match provider(&endpoint) {
        Ok(provider) => provider,
        Err(why) => {
            let trouble = format!("no spans are sent: {why}");
            return Traces { trouble: Some(trouble), ..Traces::default() };
        }
    };
    let spans = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("cowork"))
        .with_location(false)
        .with_threads(false)
        .with_level(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_context_activation(false);
    // No events: they are lines of the log, and texts.
    let ours = filter_fn(|about| about.is_span() && about.target().starts_with("cowork"));
    Traces { layer: Some(spans.with_filter(ours).boxed()), sending: Sending(Some(provider)), trouble: None }
}

type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

fn first(names: [&str; 2], env: Env<'_>) -> Option<String> {
    names.into_iter().filter_map(env).find(|value| !value.trim().is_empty())
}

/// Where the spans go; `None` where nobody says so, or says that they shall not.
fn endpoint(env: Env<'_>) -> Option<String> {
    let is_off = env("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let exporter = env("OTEL_TRACES_EXPORTER").filter(|value| !value.is_empty());
    let is_other = exporter.is_some_and(|names| !names.split(',').any(|name| name.trim() == "otlp"));
    first(ENDPOINTS, env).filter(|_| !is_off && !is_other)
}

fn provider(endpoint: &str) -> Result<SdkTracerProvider, String> {
    let env: Env<'_> = &|name| env::var(name).ok();
    if let Some(protocol) = first(PROTOCOLS, env).filter(|protocol| protocol != PROTOCOL) {
        return Err(format!("{} is {protocol}, and only {PROTOCOL} is spoken here", PROTOCOLS[1]));
    }
    let timeout = match first(TIMEOUTS, env).map(|text| text.parse()) {
        None => TIMEOUT,
        Some(Ok(ms)) => Duration::from_millis(ms),
        Some(Err(_)) => return Err(format!("{} is no number of milliseconds", TIMEOUTS[1])),
    };
    let client = client(endpoint, timeout)?;
    let exporter = SpanExporter::builder().with_http().with_http_client(client).build();
    let exporter = exporter.map_err(|error| error.to_string())?;
    let named = Named { ids: Mutex::default(), next: BatchSpanProcessor::builder(exporter).build() };
    Ok(SdkTracerProvider::builder().with_resource(resource()).with_span_processor(named).build())
}

/// The exporter works in a thread of its own, and the client, which waits, may not be made within the runtime.
fn client(endpoint: &str, timeout: Duration) -> Result<Client, String> {
    // An error means that there is a provider already, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder().timeout(timeout).redirect(redirect::Policy::none());
    // A collector without TLS works on a machine without certificates.
    let builder = if endpoint.starts_with("http://") { builder.tls_certs_only([]) } else { builder };
    let made = std::thread::spawn(|| builder.build()).join();
    let made = made.map_err(|_| "the connection to the collector can't be set up".to_owned())?;
    made.map_err(|error| format!("the connection to the collector can't be set up: {error}"))
}

/// As `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` say it, else `cowork`.
fn resource() -> Resource {
    let named = Resource::builder().build();
    let name = named.get(&Key::from_static_str("service.name")).map(|name| name.to_string()).unwrap_or_default();
    let builder = Resource::builder().with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    let is_unnamed = name.is_empty() || name.starts_with(UNNAMED);
    if is_unnamed { builder.with_service_name("cowork").build() } else { builder.build() }
}

/// Gives each span the ids of its request and its session, which stand in the log at the outermost span alone.
#[derive(Debug)]
struct Named {
    /// Of the spans that have not ended.
    ids: Mutex<HashMap<SpanId, Ids>>,
    next: BatchSpanProcessor,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Ids {
    request: Option<Value>,
    session: Option<Value>,
}

/// The fields of our spans that hold them.
const REQUEST: &str = "id";
const SESSION: &str = "session";

impl Ids {
    /// A span's own, else those of the span around it.
    fn of(attributes: &[KeyValue], around: Self) -> Self {
        let own = |name: &str| {
            attributes.iter().find(|attribute| attribute.key.as_str() == name).map(|attribute| attribute.value.clone())
        };
        Self { request: own(REQUEST).or(around.request), session: own(SESSION).or(around.session) }
    }

    /// Puts them in under names that say what they are.
    fn name(self, attributes: &mut Vec<KeyValue>) {
        attributes.retain(|attribute| ![REQUEST, SESSION].contains(&attribute.key.as_str()));
        let ids = [("request_id", self.request), ("session_id", self.session)];
        attributes.extend(ids.into_iter().filter_map(|(name, id)| Some(KeyValue::new(name, id?))));
    }
}

impl Named {
    fn ids(&self) -> MutexGuard<'_, HashMap<SpanId, Ids>> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SpanProcessor for Named {
    fn on_start(&self, span: &mut Span, around: &Context) {
        let Some(data) = span.exported_data() else { return };
        let mut ids = self.ids();
        let inherited = ids.get(&around.span().span_context().span_id()).cloned().unwrap_or_default();
        ids.insert(data.span_context.span_id(), Ids::of(&data.attributes, inherited));
    }

    fn on_end(&self, mut span: SpanData) {
        let known = self.ids().remove(&span.span_context.span_id()).unwrap_or_default();
        Ids::of(&span.attributes, known).name(&mut span.attributes);
        self.next.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.next.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.next.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.next.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_sent_until_somebody_says_where() {
        let read = |variables: &[(&str, &str)]| {
            endpoint(&|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
        };
        let there = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");
        assert_eq!(read(&[]), None);
        assert_eq!(read(&[("OTEL_SERVICE_NAME", "cowork"), ("OTEL_EXPORTER_OTLP_ENDPOINT", " ")]), None);
        assert_eq!(read(&[there]).as_deref(), Some("http://127.0.0.1:4318"));
        let own = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:4318/own");
        assert_eq!(read(&[there, own]).as_deref(), Some("http://127.0.0.1:4318/own"));
        assert_eq!(read(&[there, ("OTEL_SDK_DISABLED", "TRUE")]), None);
        assert_eq!(read(&[there, ("OTEL_TRACES_EXPORTER", "none")]), None);
        assert!(read(&[there, ("OTEL_TRACES_EXPORTER", "console, otlp"), ("OTEL_SDK_DISABLED", "false")]).is_some());
    }

    #[test]
    fn a_span_without_ids_has_those_of_the_span_around_it() {
        let request = Ids::of(&[KeyValue::new("id", "r1"), KeyValue::new("method", "GET")], Ids::default());
        let turn = Ids::of(&[KeyValue::new("session", "s1")], request.clone());
        assert_eq!(turn, Ids { request: Some("r1".into()), session: Some("s1".into()) });
        let mut attributes = vec![KeyValue::new("session", "s1"), KeyValue::new("turn", 1)];
        turn.name(&mut attributes);
        let wanted = [KeyValue::new("turn", 1), KeyValue::new("request_id", "r1"), KeyValue::new("session_id", "s1")];
        assert_eq!(attributes, wanted);
    }
}
