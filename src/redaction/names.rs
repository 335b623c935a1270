//! Names of fields and of environment variables that hold secrets.

/// A field that ends in one of these holds a secret.
const LAST_WORDS: [&str; 11] = [
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "secret",
    "token",
    "credential",
    "credentials",
    "authorization",
    "cookie",
    "apikey",
];
/// A field that ends in `key` holds one only where the word before says which key. Most keys are names.
const KEYS: [&str; 8] = ["api", "access", "private", "secret", "signing", "encryption", "auth", "account"];
/// A variable with one of these anywhere in its name.
const VARIABLE_WORDS: [&str; 11] = [
    "key",
    "keys",
    "apikey",
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "credential",
    "credentials",
    "pat",
];

/// Which names say that there is a secret.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Those of the configuration, each as its words.
    configured: Vec<Vec<String>>,
}

impl Names {
    pub fn new(configured: &[String]) -> Self {
        Self { configured: configured.iter().map(|name| words(name)).collect() }
    }

    pub fn of_field(&self, name: &str) -> bool {
        let words = words(name);
        if self.configured.contains(&words) {
            return true;
        }
        match words.as_slice() {
            [.., which, last] if last == "key" => KEYS.contains(&which.as_str()),
            [.., last] => LAST_WORDS.contains(&last.as_str()),
            [] => false,
        }
    }

    pub fn of_variable(&self, name: &str) -> bool {
        let words = words(name);
        self.configured.contains(&words) || words.iter().any(|word| VARIABLE_WORDS.contains(&word.as_str()))
    }
}

/// `apiKey`, `API_KEY` and `api-key` are the same two words.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_small = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && after_small) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
        after_small = c.is_lowercase() || c.is_numeric();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_known_by_their_last_words() {
        let names = Names::new(&["Staff Pin".into()]);
        for secret in [
            "password",
            "DB_PASSWORD",
            "apiKey",
            "x-api-key",
            "accessToken",
            "client_secret",
            "authorization",
            "staff_pin",
        ] {
            assert!(names.of_field(secret), "{secret}");
        }
        for plain in
            ["key", "tokens", "max_tokens", "token_count", "password_hint", "keyboard", "path", "pin", "monkey", ""]
        {
            assert!(!names.of_field(plain), "{plain}");
        }
    }

    #[test]
    fn variables_are_known_by_any_of_their_words() {
        let names = Names::default();
        for secret in ["COWORK_API_KEY_LOCAL", "GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "PGPASSWORD_FILE_PASSWORD"] {
            assert!(names.of_variable(secret), "{secret}");
        }
        for plain in ["PATH", "HOME", "KEYBOARD", "MAX_TOKENS"] {
            assert!(!names.of_variable(plain), "{plain}");
        }
    }
}
