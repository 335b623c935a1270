//! Typed parts of a request. What doesn't fit is a problem document that names the field.

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, FromRequestParts, Path, Request},
    http::{HeaderMap, Method, Uri, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use super::{auth, error::Problem, page};
use crate::{
    protocol::{ApiError, BasePath, ErrorCode, Right, SessionId},
    state::AppState,
    ui::words::{self, Language},
};

/// Bodies of commands. A message has its own, smaller limit; JSON may write each of its bytes in six.
const BODY_BYTES: usize = 4 * 1024 * 1024;

/// The session of the path, `{id}`, for one who may watch it, and take part where the request changes something.
/// Anything that is not a session id, and a session that isn't theirs, is a session that isn't there.
pub struct SessionPath(pub SessionId);

/// The session of the path for its owner alone.
pub struct OwnSession(pub SessionId);

impl FromRequestParts<AppState> for SessionPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let reads = matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
        session(parts, state, if reads { Right::Watch } else { Right::TakePart }).await.map(Self)
    }
}

impl FromRequestParts<AppState> for OwnSession {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        session(parts, state, Right::Own).await.map(Self)
    }
}

async fn session(parts: &mut Parts, state: &AppState, need: Right) -> Result<SessionId, Problem> {
    let found = Path::<Vec<(String, String)>>::from_request_parts(parts, state).await;
    let id = found.ok().and_then(|Path(pairs)| pairs.into_iter().find(|(name, _)| name == "id"));
    let id = id.and_then(|(_, value)| SessionId::parse(&value)).ok_or_else(ApiError::session_not_found)?;
    state.require(auth::visitor(parts)?, &id, need).await?;
    // The request's span, which has a place for it.
    tracing::Span::current().record("session", id.as_str());
    Ok(id)
}

/// A query string; unknown names and wrong values are refused.
pub struct Params<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        read_params(&parts.uri).map(Self)
    }
}

fn read_params<T: DeserializeOwned>(uri: &Uri) -> Result<T, Problem> {
    let query = axum::extract::Query::<T>::try_from_uri(uri);
    query.map(|query| query.0).map_err(|error| {
        let detail = format!("The query does not fit: {}.", error.body_text());
        Problem::new(ErrorCode::InvalidRequest, detail)
    })
}

/// A body as JSON, or as a form's fields: the page's forms work without scripts.
pub struct Fields<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Fields<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let content_type = content_type(request.headers());
        let body = read_body(request.into_body()).await?;
        match content_type.as_deref() {
            Some("application/x-www-form-urlencoded") => parse_form(&body).map(Self),
            Some("application/json") => parse_json(&body).map(Self),
            None if body.is_empty() => parse_json(b"{}").map(Self),
            _ => {
                let detail = "The body must be application/json. Nothing was changed. Set the Content-Type header.";
                Err(Problem::new(ErrorCode::UnsupportedMediaType, detail))
            }
        }
    }
}

fn content_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

async fn read_body(body: Body) -> Result<Bytes, Problem> {
    let collected = Limited::new(body, BODY_BYTES).collect().await.map_err(|error| {
        if error.downcast_ref::<LengthLimitError>().is_none() {
            return Problem::new(
                ErrorCode::RequestIncomplete,
                "The body did not arrive whole. Nothing was changed. Send it again.",
            );
        }
        let detail = format!("The body is over {BODY_BYTES} bytes. Nothing was changed.");
        Problem::new(ErrorCode::RequestTooLarge, detail)
    })?;
    Ok(collected.to_bytes())
}

fn parse_form<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let refused = |error: &dyn std::fmt::Display| {
        Problem::new(ErrorCode::InvalidRequest, format!("The form does not fit: {error}. Nothing was changed."))
    };
    let mut fields: Vec<(String, String)> = serde_urlencoded::from_bytes(body).map_err(|error| refused(&error))?;
    // An empty field of a form is a field that was left out.
    fields.retain(|(_, value)| !value.is_empty());
    if let Some(lists) = with_lists(&fields) {
        return parse_value(lists);
    }
    let given = serde_urlencoded::to_string(fields).map_err(|error| refused(&error))?;
    serde_urlencoded::from_str(&given).map_err(|error| refused(&error))
}

/// A form whose boxes have one name sends that name several times; `None` where each name comes once.
fn with_lists(fields: &[(String, String)]) -> Option<serde_json::Value> {
    let mut object = serde_json::Map::new();
    let mut repeats = false;
    for (name, value) in fields {
        match object.get_mut(name) {
            None => drop(object.insert(name.clone(), serde_json::Value::String(value.clone()))),
            Some(serde_json::Value::Array(values)) => values.push(value.clone().into()),
            Some(first) => {
                repeats = true;
                *first = vec![first.clone(), value.clone().into()].into();
            }
        }
    }
    repeats.then_some(serde_json::Value::Object(object))
}

pub fn parse_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let value: serde_json::Value = serde_json::from_slice(body).map_err(|error| {
        Problem::new(ErrorCode::BadJson, format!("The body is not valid JSON: {error}. Nothing was changed."))
    })?;
    parse_value(value)
}

fn parse_value<T: DeserializeOwned>(value: serde_json::Value) -> Result<T, Problem> {
    // Serde would take a list for the fields in their order.
    if !value.is_object() {
        let detail = "The body must be a JSON object, such as {}. Nothing was changed.";
        return Err(Problem::new(ErrorCode::InvalidRequest, detail));
    }
    serde_path_to_error::deserialize(value).map_err(|error| {
        let place = match error.path().to_string() {
            path if path == "." => String::new(),
            path => format!("`{path}`: "),
        };
        Problem::new(
            ErrorCode::InvalidRequest,
            format!("The body does not fit. {place}{}. Nothing was changed.", error.inner()),
        )
    })
}

/// Whether the answer goes to a browser that posted a form, and so should be a page; and what that page needs.
pub struct WantsPage {
    pub wanted: bool,
    pub language: Language,
    base: BasePath,
}

impl FromRequestParts<AppState> for WantsPage {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Self::Rejection> {
        let accept = parts.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        Ok(Self {
            wanted: parts.method == Method::POST && accept.contains("text/html"),
            language: page::language(&parts.headers),
            base: state.site.base.clone(),
        })
    }
}

/// [`Fields`] for a form's route: what can't be read is told on the page.
pub type Form<T> = Result<Fields<T>, Problem>;

impl WantsPage {
    /// The address of what stands at `path` of this server.
    pub fn at(&self, path: &str) -> String {
        self.base.at(path)
    }

    /// To a page of this server.
    pub fn redirect(&self, page: &str) -> Response {
        Redirect::to(&self.at(page)).into_response()
    }

    /// The page that shows the result, or the answer itself for a script. A failure goes to `page` too and is told there.
    pub fn answer(&self, page: &str, result: Result<Response, Problem>) -> Response {
        match result {
            Ok(_) if self.wanted => self.redirect(page),
            Err(Problem(error)) if self.wanted => {
                let limit = words::of(self.language).limits.told(error.code, error.retry_after.unwrap_or_default());
                self.redirect(&format!("{page}?error={}", encode(&limit.unwrap_or(error.detail))))
            }
            Ok(response) => response,
            Err(problem) => problem.into_response(),
        }
    }
}

/// Percent-encodes a query value.
pub fn encode(text: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if keep(byte) { (byte as char).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::UpdateSession;

    #[test]
    fn a_wrong_field_is_named() {
        let Err(Problem(error)) = parse_json::<UpdateSession>(br#"{"mode": "yolo"}"#) else { panic!("refused") };
        assert_eq!(error.code, ErrorCode::InvalidRequest);
        assert!(error.detail.contains("`mode`"), "{}", error.detail);
        let Err(Problem(error)) = parse_json::<UpdateSession>(br#"{"mood": 1}"#) else { panic!("refused") };
        assert!(error.detail.contains("mood"), "{}", error.detail);
        let Err(Problem(error)) = parse_json::<UpdateSession>(b"{") else { panic!("refused") };
        assert_eq!(error.code, ErrorCode::BadJson);
    }

    #[test]
    fn form_fields_are_decoded_and_empty_ones_left_out() {
        let update: UpdateSession = parse_form(b"title=a%20%26+b&model=&archived=true&mode=read_only").unwrap();
        assert_eq!((update.title.as_deref(), update.model), (Some("a & b"), None));
        assert_eq!((update.archived, update.mode), (Some(true), Some(crate::protocol::Mode::ReadOnly)));
    }

    #[test]
    fn a_detail_survives_the_address() {
        assert_eq!(encode("Grün & 1?"), "Gr%C3%BCn%20%26%201%3F");
    }
}
