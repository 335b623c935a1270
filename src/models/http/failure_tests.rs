use super::*;

const KEY: &str = "sk-test-0123456789";

fn server(key: Option<&str>) -> Server {
    let base: Url = "https://user:pass@api.example.com/v1/?token=t".parse().unwrap();
    let settings = Settings {
        base_url: base.to_string(),
        model: "gpt-x".into(),
        api_key: key.map(ApiKey::new),
        max_tokens: None,
        temperature: None,
        reasoning_effort: None,
        context_tokens: None,
        vision: None,
        timeouts: Default::default(),
    };
    let advice = Advice { address: "which usually ends in /v1", missing: "Check the model's name.".into() };
    Server::new(&base, &settings, advice)
}

fn status(status: u16, body: &str) -> ModelError {
    server(Some(KEY)).status(StatusCode::from_u16(status).unwrap(), None, body)
}

fn reported(error: &str) -> ModelError {
    server(Some(KEY)).reported(&serde_json::from_str(error).unwrap())
}

#[test]
fn every_server_s_way_to_say_too_long_is_understood() {
    let bodies = [
        r#"{"error":{"message":"This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#,
        r#"{"object":"error","message":"This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.","type":"BadRequestError","param":null,"code":400}"#,
        r#"{"error":{"code":400,"message":"the request exceeds the available context size, try increasing it","type":"exceed_context_size_error","n_prompt_tokens":4310,"n_ctx":4096}}"#,
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 205000 tokens > 200000 maximum"}}"#,
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000"}}"#,
        r#"{"error":"Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens"}"#,
    ];
    for body in bodies {
        assert!(matches!(status(400, body), ModelError::ContextFull(_)), "{body}");
        assert!(matches!(reported(body), ModelError::ContextFull(_)), "{body}");
    }
    assert!(matches!(status(413, "too large"), ModelError::ContextFull(_)));
    assert!(matches!(status(500, "Context size has been exceeded."), ModelError::ContextFull(_)));
}

#[test]
fn the_status_decides_what_can_be_done() {
    for later in [408, 409, 429, 500, 502, 503, 504, 529] {
        assert!(matches!(status(later, "{}"), ModelError::Retry { after: None, .. }), "{later}");
    }
    for key in [401, 403] {
        assert!(matches!(status(key, "{}"), ModelError::Auth(_)), "{key}");
    }
    for fatal in [400, 404, 405, 418, 422] {
        assert!(matches!(status(fatal, "{}"), ModelError::Fatal(_)), "{fatal}");
    }
    let quota = r#"{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}"#;
    let filter = r#"{"error":{"message":"The response was filtered","code":"content_filter"}}"#;
    let credit = r#"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the Anthropic API."}}"#;
    for (code, body) in [(429, quota), (402, "{}"), (400, filter), (400, credit)] {
        assert!(matches!(status(code, body), ModelError::Refused(_)), "{code} {body}");
    }
}

#[test]
fn a_rate_limit_is_no_context_limit_whatever_its_words() {
    assert!(matches!(status(429, "tokens per minute, see the context length page"), ModelError::Retry { .. }));
}

#[test]
fn the_wait_that_the_server_asks_for_is_passed_on() {
    let after = Some(Duration::from_secs(7));
    let error = server(None).status(StatusCode::TOO_MANY_REQUESTS, after, "slow down");
    let detail = "https://api.example.com/v1 can't answer now (429): slow down. Try again later.".to_owned();
    assert_eq!(error, ModelError::Retry { after, detail });
}

#[test]
fn errors_inside_an_answer_are_told_apart() {
    let kinds = [
        (r#"{"code":502,"message":"Provider disconnected"}"#, "Retry"),
        (r#"{"code":"429","message":"slow"}"#, "Retry"),
        (r#"{"message":"The server had an error","type":"server_error","code":null}"#, "Retry"),
        (r#""llama runner process has terminated""#, "Retry"),
        (r#"{"message":"Incorrect API key","code":"invalid_api_key"}"#, "Auth"),
        (r#"{"message":"bad","type":"invalid_request_error"}"#, "Fatal"),
        (r#"{"error":"Unexpected endpoint or method. (POST /chat/completions)"}"#, "Fatal"),
        (r#"{"message":"no","code":"content_filter"}"#, "Refused"),
        (r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#, "Retry"),
        (r#"{"type":"error","error":{"type":"api_error","message":"Internal server error"}}"#, "Retry"),
        (r#"{"type":"error","error":{"type":"rate_limit_error","message":"slow down"}}"#, "Retry"),
        (r#"{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}"#, "Auth"),
        (r#"{"type":"error","error":{"type":"invalid_request_error","message":"bad"}}"#, "Fatal"),
        (r#"{"type":"error","error":{"type":"billing_error","message":"no money"}}"#, "Refused"),
        (r#"{"type":"error","error":{"type":"not_found_error","message":"model: x"}}"#, "Fatal"),
    ];
    for (error, kind) in kinds {
        let made = reported(error);
        assert!(format!("{made:?}").starts_with(kind), "{error}: {made:?}");
    }
}

#[test]
fn the_key_is_in_no_text_even_when_the_server_repeats_it() {
    let padding = "x".repeat(MAX_SAID - 8);
    for code in [400, 401, 403, 404, 413, 429, 500] {
        for body in
            [format!("bad {KEY}"), format!(r#"{{"error":{{"message":"bad {KEY}"}}}}"#), format!("{padding}{KEY}")]
        {
            let text = status(code, &body).to_string();
            assert!(!text.contains("sk-test"), "{text}");
        }
    }
}

#[test]
fn no_text_shows_the_secrets_of_the_address() {
    let text = status(500, "").to_string();
    assert_eq!(text, "https://api.example.com/v1 can't answer now (500): it gives no reason. Try again later.");
}

#[test]
fn a_refused_key_names_the_server_and_leaves_its_words_out() {
    let body = r#"{"error":{"message":"Incorrect API key provided: sk-te**6789"}}"#;
    let text = status(401, body).to_string();
    assert_eq!(
        text,
        "https://api.example.com/v1 refuses the API key (401). Put a valid key for gpt-x into the configuration."
    );
    let missing = server(Some("  ")).status(StatusCode::UNAUTHORIZED, None, body).to_string();
    assert!(missing.contains("asks for an API key (401), and gpt-x has none"), "{missing}");
}

#[test]
fn long_and_ragged_words_become_one_short_line() {
    let text = server(None).clean(&format!("a\n\tb\u{7} {}", "ä".repeat(1000)));
    assert!(text.starts_with("a b ä") && text.ends_with('…'), "{text}");
    assert_eq!(text.chars().count(), MAX_SAID + 1);
    assert!(status(502, "<html><h1>Bad gateway</h1></html>").to_string().contains("it sends a web page"));
}

#[test]
fn the_message_is_found_in_every_shape() {
    for body in [
        r#"{"error":{"message":"no such thing"}}"#,
        r#"{"error":"no such thing"}"#,
        r#"{"message":"no such thing"}"#,
        r#"{"detail":[{"loc":["body"],"msg":"no such thing"}]}"#,
        r#"[{"error":{"message":"no such thing."}}]"#,
        "no such thing\n",
    ] {
        let text = status(400, body).to_string();
        assert!(text.contains("(400): no such thing. Check"), "{text}");
    }
}

#[test]
fn a_missing_model_says_what_to_check() {
    let text = status(404, r#"{"error":{"message":"model 'gpt-x' not found"}}"#).to_string();
    let base = "https://api.example.com/v1";
    assert_eq!(text, format!("{base} does not find gpt-x (404): model 'gpt-x' not found. Check the model's name."));
    let page = server(None).web_page().to_string();
    assert_eq!(page, format!("{base} sends a web page. Check base_url, which usually ends in /v1."));
}

#[test]
fn a_tls_error_is_found_below_the_connection_s_errors() {
    let hidden = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, rustls::Error::DecryptError));
    assert_eq!(tls_fault(&hidden), Some(&rustls::Error::DecryptError));
    assert_eq!(tls_fault(&io::Error::from(io::ErrorKind::ConnectionReset)), None);
}
