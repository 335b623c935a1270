//! The server below a path of its own. The proxy hands addresses on as they came; what stands in front is taken off
//! before anything looks at them, so that routes, gates and counts know one form of each.

use axum::{
    Router,
    extract::Request,
    http::{Uri, uri::PathAndQuery},
};
use tower::ServiceExt;

use crate::protocol::BasePath;

/// Nothing stands here, so what is not below the base is answered as every address that is not there.
const OUTSIDE: &str = "/outside/of/the/base";

pub fn below(base: BasePath, inner: Router) -> Router {
    if base.is_root() {
        return inner;
    }
    Router::new().fallback_service(inner.map_request(move |mut request: Request| {
        *request.uri_mut() = stripped(&base, request.uri());
        request
    }))
}

fn stripped(base: &BasePath, uri: &Uri) -> Uri {
    let query = |path: &str| match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let inside = base.inside(uri.path()).map(query);
    let path = inside.and_then(|path| PathAndQuery::try_from(path).ok());
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path.unwrap_or(PathAndQuery::from_static(OUTSIDE)));
    Uri::from_parts(parts).unwrap_or(Uri::from_static(OUTSIDE))
}

/// The address if it is one of ours, else the start: no form and no link leads on to another site.
pub fn own(base: &BasePath, address: &str) -> String {
    let leads_out = address.starts_with("//") || address.contains(['\\', '\r', '\n', '\t']);
    let is_ours =
        address.starts_with('/') && !leads_out && base.inside(address).is_some_and(|path| !path.starts_with("//"));
    if is_ours { address.to_owned() } else { base.at("/") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_is_taken_off_and_the_rest_stays() {
        let base = BasePath::parse("/office").unwrap();
        let seen = |address: &'static str| stripped(&base, &Uri::from_static(address)).to_string();
        assert_eq!(seen("/office/sessions/a?rows=5"), "/sessions/a?rows=5");
        assert_eq!((seen("/office"), seen("/office/"), seen("/office?x=1")), ("/".into(), "/".into(), "/?x=1".into()));
        assert_eq!(seen("http://host:1/office/x"), "http://host:1/x");
        for outside in ["/", "/sessions/a", "/officer", "/health"] {
            assert_eq!(seen(outside), OUTSIDE, "{outside}");
        }
    }

    #[test]
    fn no_form_leads_to_another_site() {
        let root = BasePath::default();
        for ours in ["/", "/sessions/abc?rows=500", "/a//b"] {
            assert_eq!(own(&root, ours), ours);
        }
        let theirs = [
            "",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil",
            "https://evil.example",
            "evil",
            "/\t/evil",
            "javascript:x",
        ];
        for theirs in theirs {
            assert_eq!(own(&root, theirs), "/", "{theirs}");
        }
        let base = BasePath::parse("/office").unwrap();
        assert_eq!(own(&base, "/office/sessions/a"), "/office/sessions/a");
        for elsewhere in ["/", "/wiki", "/officer", "//office/x", "/office//evil.example"] {
            assert_eq!(own(&base, elsewhere), "/office/", "{elsewhere}");
        }
    }
}
