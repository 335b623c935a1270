use serde_json::json;

use super::*;

/// Secrets in the forms that they come in. What is between `«` and `»` must go, and nothing else.
const HIDDEN: [&str; 35] = [
    "key «sk-proj-4f6d8a0b2c4e6f80» there",
    "«sk-ant-api03-AbCdEf123456_xyz-99»",
    "«ghp_16C7e42F292c6912E7710c838347Ae178B4a»",
    "«github_pat_11ABCDEFG0abcdefghijkl_mnop»",
    "«glpat-ABCDEFGHIJKLMNOPQRST»",
    "curl -H 'X-Token: «cowork_00112233445566778899aabbccddeeff»'",
    "id «AKIAIOSFODNN7EXAMPLE» and",
    "«AIzaSyD-1234567890abcdefghijklmnopqrstu»",
    "«xoxb-123456789012-abcdefghij»",
    "«eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U»",
    "Authorization: Bearer «abcdef0123456789»",
    "-H 'Authorization: Basic «dXNlcjpwYXNz»'",
    "curl -H \"authorization: «topsecret»\"",
    "Cookie: «session=abc; other=def»",
    "x-api-key: «hello-there»",
    "postgres://app:«hunter2»@db.example/app",
    "https://example.org/x?api_key=«a1b2c3d4e5»&b=c",
    "password=«hunter2»",
    "password: «hunter2»",
    "PGPASSWORD=«hunter2» psql",
    "DB_PASS=«hunter2»",
    "{\"password\": \"«correct horse»\", \"a\": 1}",
    "{\\\"password\\\": \\\"«hunter2»\\\"}",
    "passwd = '«hunter2»'",
    "token = \"«Zm9vYmFyMTIz»\"",
    "api_key: «0123abcd4567»",
    "AWS_SECRET_ACCESS_KEY=«wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY»",
    "client_secret => '«s3cr3ts3cr3t»'",
    "mysql --password «hunter2» -h db",
    "tool --token=«hunter2»",
    "curl -u admin:«hunter2» https://example.org",
    "«-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n-----END OPENSSH PRIVATE KEY-----» after",
    "«-----BEGIN RSA PRIVATE KEY-----\nMIIEow cut in the middle»",
    "«hf_abcDEF1234567890»",
    "+password = «hunter2»",
];

/// What only looks like it.
const KEPT: [&str; 22] = [
    "input tokens: 1234, total_tokens=5678",
    "token_count: 12",
    "max_tokens = 32000",
    "The token is used up.",
    "task-force-with-a-long-name and risk-assessment-framework",
    "sk-circle-fade-dot-loader",
    "let token = self.next_token();",
    "password = get_password()",
    "password: String,",
    "password: str = None",
    "PASSWORD=$DB_PASSWORD",
    "password: ${{ secrets.DB }}",
    "password=<your password>",
    "a bearer of news",
    "bearer internationalization",
    "https://example.org:8080/a@b",
    "git push -u origin main",
    "secret: be kind",
    "The password? Nobody knows.",
    "PWD=/home/me/work",
    "key = value",
    "fn token(&self) -> Token",
];

#[test]
fn secrets_of_every_form_go_and_what_surrounds_them_stays() {
    let redaction = Redaction::default();
    for marked in HIDDEN {
        let text: String = marked.chars().filter(|c| !"«»".contains(*c)).collect();
        let (before, rest) = marked.split_once('«').unwrap();
        let (_, after) = rest.split_once('»').unwrap();
        assert_eq!(redaction.text(&text), format!("{before}{REDACTED}{after}"), "{text}");
    }
}

#[test]
fn token_counts_code_and_prose_stay() {
    let redaction = Redaction::default();
    for text in KEPT {
        assert_eq!(redaction.text(text), text);
    }
}

#[test]
fn cleaning_again_changes_nothing() {
    let redaction = Redaction::default();
    for marked in HIDDEN {
        let once = redaction.text(marked).into_owned();
        assert_eq!(redaction.text(&once), once);
    }
}

#[test]
fn json_is_cleaned_by_its_fields_and_by_its_texts() {
    let redaction = Redaction::new(["our-own-secret".into()], &["pin".into()]);
    let mut value = json!({
        "path": "a.txt",
        "max_tokens": 4096,
        "usage": {"tokens": 17, "total_token": true},
        "auth": {"password": "hunter2", "token": ["a", "b"], "api_key": {"kid": 1}},
        "pin": 1234,
        "lines": ["password=hunter2", "our-own-secret", 3, null],
        "our-own-secret": 1,
    });
    assert!(redaction.json(&mut value));
    let expected = json!({
        "path": "a.txt",
        "max_tokens": 4096,
        "usage": {"tokens": 17, "total_token": true},
        "auth": {"password": REDACTED, "token": [REDACTED, REDACTED], "api_key": {"kid": REDACTED}},
        "pin": REDACTED,
        "lines": [format!("password={REDACTED}"), REDACTED, 3, null],
        REDACTED: REDACTED,
    });
    assert_eq!(value, expected);
    assert!(!redaction.json(&mut value), "nothing is left to do");
}

#[test]
fn the_environment_tells_which_values_are_ours() {
    let environment = [("PATH", "/usr/bin:/bin"), ("MODEL_API_KEY", "zq-Model-77-key"), ("TOKEN_STYLE", "keychain")];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let redaction = Redaction::with_environment(["configured-key-1".into()], &[], environment);
    assert_eq!(redaction.own().clean("zq-Model-77-key configured-key-1 keychain"), "[redacted] [redacted] keychain");
    assert_eq!(redaction.own().clean("/usr/bin:/bin password=x"), "/usr/bin:/bin password=x");
}

#[test]
fn a_secret_that_comes_later_is_one_beside_the_others() {
    let redaction = Redaction::new(["first-secret-1".into()], &[]);
    assert_eq!(redaction.text("first-secret-1 later-secret-2"), "[redacted] later-secret-2");
    redaction.learn("later-secret-2".into());
    assert_eq!(redaction.text("first-secret-1 later-secret-2"), "[redacted] [redacted]");
}
