//! `GET /openapi.json`: the REST half of the API as OpenAPI 3.1, made from the types that the handlers read and write.
//! Which operation there is stands in [`operations`]; a test holds it against the router.

mod operations;

use std::{collections::BTreeSet, sync::OnceLock};

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use schemars::{
    JsonSchema, SchemaGenerator,
    generate::{Contract, SchemaSettings},
};
use serde_json::{Map, Value, json};

use super::auth::PUBLIC;
use crate::protocol::{ErrorCode, UploadedFile};

/// For who is signed in: nobody else can call anything that it describes.
pub async fn document() -> Response {
    static DOCUMENT: OnceLock<String> = OnceLock::new();
    let document = DOCUMENT.get_or_init(|| describe().to_string());
    ([(header::CONTENT_TYPE, "application/json")], document.as_str()).into_response()
}

/// One method of one address.
pub struct Operation {
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    parameters: Vec<Value>,
    body: Option<Value>,
    /// Status, media type and schema of an answer.
    answers: Vec<(u16, Option<(&'static str, Value)>)>,
    errors: Vec<ErrorCode>,
}

/// What schemas are made with. What is sent and what is read differ: a field with a default may be left out of a
/// request, and is always in an answer.
pub struct Schemas {
    sent: SchemaGenerator,
    read: SchemaGenerator,
}

impl Schemas {
    fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        let read = settings.clone().with(|settings| {
            settings.contract = Contract::Deserialize;
            settings.inline_subschemas = true;
        });
        let sent = settings.with(|settings| settings.contract = Contract::Serialize);
        Self { sent: sent.into_generator(), read: read.into_generator() }
    }

    fn sent<T: JsonSchema>(&mut self) -> Value {
        self.sent.subschema_for::<T>().to_value()
    }

    fn read<T: JsonSchema>(&mut self) -> Value {
        let mut schema = self.read.root_schema_for::<T>().to_value();
        if let Some(fields) = schema.as_object_mut() {
            fields.remove("$schema");
            fields.remove("title");
        }
        schema
    }
}

impl Operation {
    fn new(method: &'static str, path: &'static str, summary: &'static str) -> Self {
        let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let parameters = names.map(|name| {
            let name = name.trim_start_matches('*');
            json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}})
        });
        let parameters = parameters.collect();
        Self { method, path, summary, parameters, body: None, answers: Vec::new(), errors: Vec::new() }
    }

    /// The fields of a struct as parameters of the query.
    fn query<T: JsonSchema>(mut self, schemas: &mut Schemas) -> Self {
        let schema = schemas.read::<T>();
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            let required = schema["required"].as_array().is_some_and(|all| all.contains(&json!(name)));
            let mut field = field.clone();
            let description = field.as_object_mut().and_then(|field| field.remove("description"));
            let mut parameter = json!({"name": name, "in": "query", "required": required, "schema": field});
            if let Some(description) = description {
                parameter["description"] = description;
            }
            self.parameters.push(parameter);
        }
        self
    }

    fn header(mut self, name: &str, required: bool, description: &str) -> Self {
        let schema = json!({"type": "string"});
        self.parameters.push(json!({"name": name, "in": "header", "required": required, "description": description,
            "schema": schema}));
        self
    }

    /// JSON, or the fields of a form.
    fn body<T: JsonSchema>(mut self, schemas: &mut Schemas) -> Self {
        let schema = schemas.read::<T>();
        self.body = Some(json!({"required": true, "content": {
            "application/json": {"schema": schema},
            "application/x-www-form-urlencoded": {"schema": schema},
        }}));
        self
    }

    fn body_of(mut self, media_type: &str, schema: Value) -> Self {
        self.body = Some(json!({"required": true, "content": {media_type: {"schema": schema}}}));
        self
    }

    fn answer<T: JsonSchema>(mut self, status: u16, schemas: &mut Schemas) -> Self {
        self.answers.push((status, Some(("application/json", schemas.sent::<T>()))));
        self
    }

    fn shape(mut self, status: u16, schema: Value) -> Self {
        self.answers.push((status, Some(("application/json", schema))));
        self
    }

    fn bytes(mut self, status: u16, media_type: &'static str) -> Self {
        self.answers.push((status, Some((media_type, json!({"type": "string"})))));
        self
    }

    fn empty(mut self, status: u16) -> Self {
        self.answers.push((status, None));
        self
    }

    /// Codes that are told beside those that every address may answer.
    fn errors(mut self, codes: &[ErrorCode]) -> Self {
        self.errors.extend(codes);
        self
    }

    fn described(self) -> Value {
        let mut responses = Map::new();
        for (status, content) in &self.answers {
            let mut response = json!({"description": phrase(*status)});
            if let Some((media_type, schema)) = content {
                response["content"] = json!({*media_type: {"schema": schema}});
            }
            responses.insert(status.to_string(), response);
        }
        let statuses: BTreeSet<u16> = self.errors.iter().map(|code| code.status()).collect();
        for status in statuses.into_iter().filter(|status| !self.answers.iter().any(|(told, _)| told == status)) {
            let codes: Vec<&str> =
                self.errors.iter().filter(|code| code.status() == status).map(|code| code.as_str()).collect();
            responses.insert(status.to_string(), problem(&codes.join(", ")));
        }
        responses.insert("default".into(), problem("Any other error; docs/errors.md has all codes"));
        let mut operation = json!({"summary": self.summary, "parameters": self.parameters, "responses": responses});
        if let Some(body) = self.body {
            operation["requestBody"] = body;
        }
        if PUBLIC.contains(&self.path) {
            operation["security"] = json!([]);
        }
        operation
    }
}

fn problem(description: &str) -> Value {
    json!({"description": description, "content": {
        "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}})
}

fn phrase(status: u16) -> &'static str {
    axum::http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Answer")
}

/// An error's document, in `application/problem+json`.
fn problem_schema(schemas: &mut Schemas) -> Value {
    let code = schemas.sent::<ErrorCode>();
    let files = schemas.sent::<Vec<UploadedFile>>();
    json!({
        "type": "object",
        "description": "RFC 9457. `code` is what programs match on; `detail` is for a person.",
        "required": ["type", "title", "status", "code", "detail"],
        "properties": {
            "type": {"const": "about:blank"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "code": code,
            "detail": {"type": "string"},
            "files": files,
            "uploaded": {"type": "integer"},
            "failed": {"type": "integer"},
        },
    })
}

fn describe() -> Value {
    let mut schemas = Schemas::new();
    let mut paths: Map<String, Value> = Map::new();
    for operation in operations::all(&mut schemas) {
        // `{*path}` takes the rest of an address, which OpenAPI has no word for.
        let path = operation.path.replace("{*", "{");
        let method = operation.method.to_ascii_lowercase();
        paths.entry(path).or_insert_with(|| json!({}))[method] = operation.described();
    }
    let problem = problem_schema(&mut schemas);
    let mut components = schemas.sent.take_definitions(true);
    components.insert("Problem".into(), problem);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Cowork",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The REST half of the API. Forms are taken wherever JSON is, and a form that asks for HTML is \
                answered with 303 to the page. The live stream is a WebSocket, described in docs/api.md.",
            "license": {"name": "MIT"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {"cookie": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "`cowork token` prints the owner's."},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "cowork_9000",
                    "description": "Set by a sign-in, named after the port."},
            },
        },
    })
}
