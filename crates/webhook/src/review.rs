//! The envelope: an `AdmissionReview` of `admission.k8s.io/v1`, read as far as it must be.
//!
//! What the API server sends is described by `k8s.io/api/admission/v1/types.go`. One odd field is no error: an object that cannot be read
//! is known to be one, and of the rest only `uid` is needed for an answer.

use crate::metrics::{Kind, Operation};
use crate::object::{self, Embedded, Object};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// The version that is understood.
pub(crate) const API_VERSION: &str = "admission.k8s.io/v1";
/// A `uid` is a UUID; the API server would accept any string, and this much of it is kept.
const UID_MAX_BYTES: usize = 256;

/// A request to be answered.
#[derive(Debug)]
pub(crate) struct Review {
    /// To be given back.
    pub(crate) uid: String,
    pub(crate) kind: Kind,
    pub(crate) operation: Operation,
    pub(crate) sub_resource: String,
    /// Where the object is, or will be; empty where the API server does not say.
    pub(crate) namespace: String,
    /// Nothing comes of it. What is there and is no `false` counts as `true`.
    pub(crate) is_dry_run: bool,
    /// The object as it will be; absent on DELETE.
    pub(crate) object: Option<Object>,
    /// The object as it was; absent on CREATE.
    pub(crate) old_object: Option<Object>,
}

/// Why a body is no review: the text of a 400.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotAReview {
    Json(String),
    NoEnvelope,
    Version,
    NoRequest,
    NoUid,
}

impl fmt::Display for NotAReview {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => write!(formatter, "the body is no JSON: {error}"),
            Self::NoEnvelope => formatter.write_str("the body is no AdmissionReview: `kind` must be AdmissionReview"),
            Self::Version => {
                write!(formatter, "the version of the AdmissionReview must be {API_VERSION}: set `admissionReviewVersions: [v1]`")
            }
            Self::NoRequest => formatter.write_str("the AdmissionReview holds no `request`"),
            Self::NoUid => formatter.write_str("the AdmissionReview holds no `request.uid`"),
        }
    }
}

/// Every field by itself and unread, so that an odd one spoils nothing.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[serde(bound(deserialize = "R: Deserialize<'de>"))]
struct Envelope<'a, R> {
    #[serde(borrow)]
    api_version: Option<&'a RawValue>,
    #[serde(borrow)]
    kind: Option<&'a RawValue>,
    request: Option<R>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[serde(bound(deserialize = "O: Deserialize<'de>"))]
struct Request<'a, O> {
    #[serde(borrow)]
    uid: Option<&'a RawValue>,
    #[serde(borrow)]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    operation: Option<&'a RawValue>,
    #[serde(borrow)]
    sub_resource: Option<&'a RawValue>,
    #[serde(borrow)]
    namespace: Option<&'a RawValue>,
    #[serde(borrow)]
    dry_run: Option<&'a RawValue>,
    object: Option<O>,
    old_object: Option<O>,
}

#[derive(Deserialize)]
struct GroupVersionKind {
    kind: String,
}

/// Reads a review and its objects in one go; where one of them cannot be read, the rest first and then each by itself.
pub(crate) fn read(body: &[u8]) -> Result<Review, NotAReview> {
    if let Ok(envelope) = serde_json::from_slice::<Envelope<'_, Request<'_, Embedded>>>(body) {
        return review(envelope, |Embedded(value)| Ok(value));
    }
    let envelope: Envelope<'_, Request<'_, &RawValue>> = serde_json::from_slice(body).map_err(|error| not_a_review(body, &error))?;
    review(envelope, object::read)
}

fn review<O>(envelope: Envelope<'_, Request<'_, O>>, read: impl Fn(O) -> Object) -> Result<Review, NotAReview> {
    envelope.is_right()?;
    let request = envelope.request.ok_or(NotAReview::NoRequest)?;
    let uid = string(request.uid).filter(|uid| !uid.is_empty() && uid.len() <= UID_MAX_BYTES).ok_or(NotAReview::NoUid)?;
    let kind = request.kind.and_then(|raw| serde_json::from_str::<GroupVersionKind>(raw.get()).ok());
    Ok(Review {
        uid,
        kind: kind.map_or(Kind::Other, |kind| Kind::of(&kind.kind)),
        operation: string(request.operation).map_or(Operation::Other, |operation| Operation::of(&operation)),
        sub_resource: string(request.sub_resource).unwrap_or_default(),
        namespace: string(request.namespace).unwrap_or_default(),
        is_dry_run: request.dry_run.is_some_and(|raw| raw.get() != "false"),
        object: request.object.map(&read),
        old_object: request.old_object.map(&read),
    })
}

fn string(raw: Option<&RawValue>) -> Option<String> {
    serde_json::from_str(raw?.get()).ok()
}

impl<R> Envelope<'_, R> {
    fn is_right(&self) -> Result<(), NotAReview> {
        if string(self.kind).as_deref() != Some("AdmissionReview") {
            return Err(NotAReview::NoEnvelope);
        }
        if string(self.api_version).as_deref() != Some(API_VERSION) {
            return Err(NotAReview::Version);
        }
        Ok(())
    }
}

/// What is wrong with a body that could not be read in one go. The error's text quotes nothing of the body.
fn not_a_review(body: &[u8], error: &serde_json::Error) -> NotAReview {
    if !error.is_data() || serde_json::from_slice::<IgnoredAny>(body).is_err() {
        return NotAReview::Json(error.to_string());
    }
    let shallow: Result<Envelope<'_, IgnoredAny>, _> = serde_json::from_slice(body);
    match shallow {
        Ok(envelope) => envelope.is_right().err().unwrap_or(NotAReview::NoRequest),
        Err(_) => NotAReview::NoEnvelope,
    }
}

/// The `uid` of a review of which only the beginning is known or wanted. The API server writes it before everything of length.
pub(crate) fn uid(beginning: &[u8]) -> Option<String> {
    let mut found = None;
    let seed = UidSeed { path: &["request", "uid"], found: &mut found };
    // It ends with an error in any case: at the `uid`, to read no further, or where the beginning breaks off.
    drop(seed.deserialize(&mut serde_json::Deserializer::from_slice(beginning)));
    found.filter(|uid| !uid.is_empty() && uid.len() <= UID_MAX_BYTES)
}

/// Walks down a path of keys to a string and stops there.
struct UidSeed<'f> {
    path: &'static [&'static str],
    found: &'f mut Option<String>,
}

impl<'de> DeserializeSeed<'de> for UidSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.path.is_empty() { deserializer.deserialize_str(self) } else { deserializer.deserialize_map(self) }
    }
}

impl<'de> Visitor<'de> for UidSeed<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("request.uid")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        *self.found = Some(text.to_owned());
        Err(E::custom("found"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match self.path.split_first() {
                Some((first, rest)) if *first == key => map.next_value_seed(UidSeed { path: rest, found: &mut *self.found })?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Err(A::Error::custom("not found"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_review() {
        let body = r#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"7-1",
            "kind":{"group":"apps","version":"v1","kind":"Deployment"},"resource":{"group":"apps","version":"v1","resource":"deployments"},
            "operation":"UPDATE","userInfo":{"username":"ann"},"object":{"a":1},"oldObject":null,"dryRun":false}}"#;
        let review = read(body.as_bytes()).unwrap();
        assert_eq!((review.uid.as_str(), review.kind, review.operation), ("7-1", Kind::Deployment, Operation::Update));
        assert_eq!(review.object, Some(Ok(serde_json::json!({"a": 1}))));
        assert!(review.old_object.is_none());
        assert_eq!(review.sub_resource, "");
    }

    #[test]
    fn odd_fields_spoil_nothing() {
        let body = r#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","unknown":[],"request":{"operation":7,"subResource":{},
            "kind":"Pod","object":"no object","oldObject":[],"uid":"u","options":3}}"#;
        let review = read(body.as_bytes()).unwrap();
        assert_eq!((review.uid.as_str(), review.kind, review.operation), ("u", Kind::Other, Operation::Other));
        assert_eq!(review.object, Some(Ok("no object".into())));
    }

    #[test]
    fn every_malformed_body_says_what_is_wrong() {
        let envelope = "the body is no AdmissionReview: `kind` must be AdmissionReview";
        let version = "the version of the AdmissionReview must be admission.k8s.io/v1: set `admissionReviewVersions: [v1]`";
        let no_request = "the AdmissionReview holds no `request`";
        let no_uid = "the AdmissionReview holds no `request.uid`";
        let long = format!(r#"{{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{{"uid":"{}"}}}}"#, "u".repeat(257));
        let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        let cases: &[(&[u8], &str)] = &[
            (b"", "the body is no JSON: EOF while parsing a value at line 1 column 0"),
            (b"kind: AdmissionReview", "the body is no JSON: expected value at line 1 column 1"),
            (b"{\"kind\":", "the body is no JSON: EOF while parsing a value at line 1 column 8"),
            (b"{} x", "the body is no JSON: trailing characters at line 1 column 4"),
            (b"{\"kind\":\"\xff\"}", "the body is no JSON: invalid unicode code point at line 1 column 10"),
            (b"{}", envelope),
            (b"null", envelope),
            (b"[]", envelope),
            (b"7", envelope),
            (deep.as_bytes(), envelope),
            (br#"{"kind":"List"}"#, envelope),
            (br#"{"kind":["AdmissionReview"]}"#, envelope),
            (br#"{"kind":"AdmissionReview"}"#, version),
            (br#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1beta1","request":{"uid":"u"}}"#, version),
            (br#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1"}"#, no_request),
            (br#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":null}"#, no_request),
            (br#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":"x"}"#, no_request),
            (br#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{}}"#, no_uid),
            (br#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":""}}"#, no_uid),
            (br#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":7}}"#, no_uid),
            (long.as_bytes(), no_uid),
        ];
        for (body, message) in cases {
            assert_eq!(read(body).unwrap_err().to_string(), *message, "{}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn the_uid_is_found_in_a_beginning() {
        let whole = r#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"a\u0062","kind":{"kind":"Pod"}}}"#;
        for length in 0..=whole.len() {
            let found = uid(&whole.as_bytes()[..length]);
            let complete = whole.find(r#","kind":{"#).unwrap();
            assert_eq!(found.as_deref(), (length >= complete).then_some("ab"), "{length}");
        }
        assert_eq!(uid(br#"{"x":{"uid":"no"},"uid":"no","request":{"x":{"uid":"no"},"uid":"yes"#), None);
        assert_eq!(uid(br#"{"x":{"uid":"no"},"uid":"no","request":{"x":{"uid":"no"},"uid":"yes""#).as_deref(), Some("yes"));
        assert_eq!(uid(br#"{"request":{"uid":7}}"#), None);
        assert_eq!(uid(br#"{"request":[]}"#), None);
    }
}
