//! Whatever the vectors hold means the same here as to serde, and is refused by both or by none.

use serde_json::Value;
use wasm_bindgen_test::wasm_bindgen_test;

use super::*;

#[wasm_bindgen_test]
fn reads_what_serde_reads() {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../tests/vectors/signal.json")).expect("vectors");
    let lists = ["valid", "invalid"].map(|list| vectors["server"][list].as_array().expect("a list"));
    let mut read_by_both = 0;
    for vector in lists.into_iter().flatten() {
        let object = js_sys::JSON::parse(&vector["message"].to_string()).expect("JSON");
        let expected: Option<ServerMessage> = serde_json::from_value(vector["message"].clone()).ok();
        assert_eq!(read(&object).ok(), expected, "{}", vector["name"]);
        read_by_both += u32::from(expected.is_some());
    }
    assert!(read_by_both > 10, "the vectors hold messages");
}

#[wasm_bindgen_test]
fn knows_every_reason() {
    for reason in END_REASONS {
        let text = serde_json::to_value(reason).expect("a text");
        assert_eq!(text, reason.code());
    }
    for code in ERROR_CODES {
        let text = serde_json::to_value(code).expect("a text");
        assert_eq!(text, code.code());
    }
    assert_eq!(error_code("unheard_of"), ErrorCode::Unknown);
}

#[wasm_bindgen_test]
fn refuses_what_is_no_object() {
    for value in [
        JsValue::UNDEFINED,
        JsValue::NULL,
        1.into(),
        "welcome".into(),
        js_sys::Array::new().into(),
    ] {
        assert!(read(&value).is_err(), "{value:?}");
    }
}
