//! Image references as the kubelet reads them: `ParseNormalizedNamed` of github.com/distribution/reference v0.6.0, with the reason where it only says
//! "invalid reference format".

/// The longest repository path that distribution/reference accepts.
const PATH_MAX: usize = 255;

/// The longest tag.
const TAG_MAX: usize = 128;

/// A valid image reference, as written: nothing is filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageRef<'a> {
    /// The registry, where one is named.
    pub domain: Option<&'a str>,
    /// The repository's path without the registry.
    pub path: &'a str,
    /// The tag, where one is given.
    pub tag: Option<&'a str>,
    /// The digest, where one is given.
    pub digest: Option<&'a str>,
}

/// Why the kubelet cannot parse an image reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageError<'a> {
    /// The text is empty.
    Empty,
    /// Blank, tab or line break in front or behind. The API server refuses it in a Pod and lets it through in a template.
    OuterWhitespace,
    /// A blank, tab or line break within.
    Whitespace,
    /// A URL scheme such as `https://` in front.
    Scheme(&'a str),
    /// A variable or template that nobody filled in: `${TAG}`, `{{ image }}`, `$(TAG)`, `<image>`.
    Placeholder(&'a str),
    /// Exactly 64 hexadecimal digits: taken for an image id.
    Identifier,
    /// An upper-case letter in the repository.
    UpperCase(&'a str),
    /// A colon with nothing behind it.
    EmptyTag,
    /// A tag with a character that is not allowed, or that begins with `.` or `-`.
    Tag(&'a str),
    /// A tag of more than 128 characters.
    LongTag,
    /// A digest that is no `sha256:` and 64 lower-case hexadecimal digits (or sha384, sha512).
    Digest(&'a str),
    /// A part of the path is empty: `//`, a slash in front or behind.
    EmptyComponent,
    /// A registry that is no host name and port.
    Domain(&'a str),
    /// A part of the path with a character that is not allowed there, or with separators where they may not be.
    Component(&'a str),
    /// A repository of more than 255 characters.
    Long,
}

/// Words in capitals that stand for what somebody is to write there. One with an underscore needs no list.
const CAPITALS: [&str; 14] = [
    "CHANGEME",
    "IMAGE",
    "ORG",
    "OWNER",
    "PLACEHOLDER",
    "PROJECT",
    "REGION",
    "REGISTRY",
    "REPLACEME",
    "REPO",
    "REPOSITORY",
    "TAG",
    "USERNAME",
    "VERSION",
];

impl ImageError<'_> {
    /// Whether a tool or a person fills the reference in before the manifest is applied: a placeholder, `ko://` of ko, `PROJECT_ID`.
    pub fn is_unfilled(&self) -> bool {
        let in_capitals = |word: &str| {
            CAPITALS.contains(&word)
                || (word.trim_matches('_').contains('_')
                    && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_'))
        };
        match self {
            Self::Placeholder(_) | Self::Scheme("ko") => true,
            Self::UpperCase(part) | Self::Domain(part) | Self::Component(part) => {
                part.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').any(in_capitals)
            }
            _ => false,
        }
    }
}

impl<'a> ImageRef<'a> {
    /// Reads a reference exactly as the kubelet does.
    pub fn parse(text: &'a str) -> Result<Self, ImageError<'a>> {
        split(text).ok_or_else(|| reason(text)).and_then(
            |(image, path_len)| {
                if path_len > PATH_MAX { Err(ImageError::Long) } else { Ok(image) }
            },
        )
    }

    /// The last part of the path: `nginx` of `quay.io/nginx/nginx:1`.
    pub fn base_name(&self) -> &'a str {
        self.path.rsplit('/').next().unwrap_or(self.path)
    }

    /// Whether the image is an official one of Docker Hub (`nginx`, `library/nginx`, `docker.io/library/nginx`).
    pub fn is_official(&self, name: &str) -> bool {
        match self.domain {
            None | Some("docker.io" | "index.docker.io") => self.path == name || self.path.strip_prefix("library/") == Some(name),
            Some(_) => false,
        }
    }
}

/// The parts of a valid reference, and the length of the path with what Docker's normal form puts in front.
fn split(text: &str) -> Option<(ImageRef<'_>, usize)> {
    if is_identifier(text) {
        return None;
    }
    let (domain, remainder) = match split_domain(text) {
        // `a_b.c/d` has a dot in front and is no registry all the same: the grammar then takes it for a part of the path.
        (Some(domain), _) if !is_domain(domain) && is_component(domain) => (None, text),
        parts => parts,
    };
    // A digest, then a tag: neither a path nor a tag can hold an `@` or a second colon.
    let (name, digest) = match remainder.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (remainder, None),
    };
    let (path, tag) = match name.split_once(':') {
        Some((path, tag)) => (path, Some(tag)),
        None => (name, None),
    };
    let valid = domain.is_none_or(is_domain) && path.split('/').all(is_component) && tag.is_none_or(is_tag) && digest.is_none_or(is_digest);
    let prefix = if matches!(domain, None | Some("docker.io" | "index.docker.io")) && !path.contains('/') { "library/".len() } else { 0 };
    valid.then_some((ImageRef { domain, path, tag, digest }, prefix + path.len()))
}

/// As `splitDockerDomain`: what stands before the first slash is a registry if it could not be a part of a path on Docker Hub.
fn split_domain(text: &str) -> (Option<&str>, &str) {
    match text.split_once('/') {
        Some((first, rest)) if first == "localhost" || first.contains(['.', ':']) || first.chars().any(char::is_uppercase) => {
            (Some(first), rest)
        }
        _ => (None, text),
    }
}

fn is_identifier(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(is_lower_hex)
}

fn is_lower_hex(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}

fn is_domain(text: &str) -> bool {
    let (host, port) = if let Some(inner) = text.strip_prefix('[') {
        let Some((address, port)) = inner.split_once(']') else { return false };
        if address.is_empty() || !address.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':') {
            return false;
        }
        (None, port)
    } else {
        let end = text.find(':').unwrap_or(text.len());
        (text.get(..end), text.get(end..).unwrap_or_default())
    };
    let port = match port.strip_prefix(':') {
        Some(port) => !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()),
        None => port.is_empty(),
    };
    port && host.is_none_or(|host| host.split('.').all(is_domain_label))
}

fn is_domain_label(label: &str) -> bool {
    !label.is_empty()
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Lower-case letters and digits, joined by `.`, `_`, `__` or any number of `-`.
fn is_component(text: &str) -> bool {
    let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return false };
    if !alphanumeric(*first) || !alphanumeric(*last) {
        return false;
    }
    bytes
        .split(|byte| alphanumeric(*byte))
        .filter(|separator| !separator.is_empty())
        .all(|separator| matches!(separator, b"." | b"_" | b"__") || separator.iter().all(|byte| *byte == b'-'))
}

fn is_tag_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')
}

fn is_tag(text: &str) -> bool {
    text.len() <= TAG_MAX
        && text.bytes().all(is_tag_byte)
        && text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The grammar of a digest allows more; the algorithms that go-digest knows allow just this.
fn is_digest(text: &str) -> bool {
    let length = match text.split_once(':') {
        Some(("sha256", hex)) => (hex, 64),
        Some(("sha384", hex)) => (hex, 96),
        Some(("sha512", hex)) => (hex, 128),
        _ => return false,
    };
    length.0.len() == length.1 && length.0.bytes().all(is_lower_hex)
}

/// The first thing that is wrong, in the order in which a person would see it.
fn reason(text: &str) -> ImageError<'_> {
    if text.is_empty() {
        return ImageError::Empty;
    }
    if let Some(placeholder) = placeholder(text) {
        return ImageError::Placeholder(placeholder);
    }
    if text.trim() != text {
        return ImageError::OuterWhitespace;
    }
    if text.contains(char::is_whitespace) {
        return ImageError::Whitespace;
    }
    if let Some((scheme, _)) = text.split_once("://")
        && !scheme.is_empty()
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
    {
        return ImageError::Scheme(scheme);
    }
    if is_identifier(text) {
        return ImageError::Identifier;
    }
    let (domain, remainder) = split_domain(text);
    let (name, digest) = match remainder.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (remainder, None),
    };
    let (path, tag) = match name.split_once(':') {
        Some((path, tag)) => (path, Some(tag)),
        None => (name, None),
    };
    if let Some(domain) = domain
        && !is_domain(domain)
    {
        return if domain.is_empty() { ImageError::EmptyComponent } else { ImageError::Domain(domain) };
    }
    for component in path.split('/') {
        if component.is_empty() {
            return ImageError::EmptyComponent;
        }
        if component.chars().any(char::is_uppercase) {
            return ImageError::UpperCase(component);
        }
        if !is_component(component) {
            return ImageError::Component(component);
        }
    }
    match (tag, digest) {
        (Some(""), _) => ImageError::EmptyTag,
        (Some(tag), _) if !is_tag(tag) => {
            if tag.len() > TAG_MAX && tag.bytes().all(is_tag_byte) {
                ImageError::LongTag
            } else {
                ImageError::Tag(tag)
            }
        }
        (_, Some(digest)) => ImageError::Digest(digest),
        _ => ImageError::Long,
    }
}

/// The first variable or template in the text: `${A}`, `$(A)`, `$A`, `{{ a }}`, `{a}`, `<a>`, `[[a]]`.
fn placeholder(text: &str) -> Option<&str> {
    for (open, close) in [("{{", "}}"), ("${", "}"), ("$(", ")"), ("<", ">"), ("[[", "]]"), ("{", "}")] {
        if let Some(start) = text.find(open) {
            let found = text.get(start..)?;
            if let Some(end) = found.find(close) {
                return found.get(..end + close.len());
            }
        }
    }
    let start = text.find('$')?;
    let found = text.get(start..)?;
    let name = found.get(1..)?.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
    (name > 0).then(|| found.get(..=name)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_what_the_kubelet_accepts() {
        let digest = format!("nginx@sha256:{}", "0".repeat(64));
        let long = format!("quay.io/{}", "a".repeat(255));
        for text in [
            "nginx",
            "nginx:1.27",
            "localhost/x",
            "localhost:5000/x",
            "[::1]:5000/x:1",
            "MyOrg/app",
            "a__b/c-----d.e_f:A_b.c-",
            "docker.io/nginx",
            "EXAMPLE/x",
            "a_b.c/d",
            "index.docker.io/x",
            &digest,
            &long,
        ] {
            assert!(ImageRef::parse(text).is_ok(), "{text}");
        }
        let image = ImageRef::parse("quay.io:443/a/b:c").unwrap();
        assert_eq!((image.domain, image.path, image.tag, image.digest), (Some("quay.io:443"), "a/b", Some("c"), None));
        let image = ImageRef::parse("quay.io/a").unwrap();
        assert_eq!((image.domain, image.tag), (Some("quay.io"), None));
    }

    #[test]
    fn says_why_a_reference_is_invalid() {
        let long_tag = format!("a:{}", "b".repeat(129));
        let long = "a".repeat(248);
        let hex = "0123456789abcdef".repeat(4);
        for (text, want) in [
            ("", ImageError::Empty),
            (" ", ImageError::OuterWhitespace),
            ("nginx ", ImageError::OuterWhitespace),
            ("nginx latest", ImageError::Whitespace),
            ("https://quay.io/a", ImageError::Scheme("https")),
            ("docker://nginx", ImageError::Scheme("docker")),
            ("nginx:${TAG}", ImageError::Placeholder("${TAG}")),
            ("nginx:$TAG", ImageError::Placeholder("$TAG")),
            ("{{ image }}", ImageError::Placeholder("{{ image }}")),
            ("<image_url>", ImageError::Placeholder("<image_url>")),
            ("quay.io/{your team}/a", ImageError::Placeholder("{your team}")),
            ("nginx:", ImageError::EmptyTag),
            ("myorg/App", ImageError::UpperCase("App")),
            ("Nginx", ImageError::UpperCase("Nginx")),
            ("a//b", ImageError::EmptyComponent),
            ("/a", ImageError::EmptyComponent),
            ("a/", ImageError::EmptyComponent),
            ("a:b:c", ImageError::Tag("b:c")),
            ("a:.b", ImageError::Tag(".b")),
            ("a@sha256:123456", ImageError::Digest("sha256:123456")),
            ("a___b", ImageError::Component("a___b")),
            ("-a.b/c", ImageError::Domain("-a.b")),
            (&long_tag, ImageError::LongTag),
            (&long, ImageError::Long),
            (&hex, ImageError::Identifier),
        ] {
            assert_eq!(ImageRef::parse(text), Err(want), "{text}");
        }
    }

    #[test]
    fn tells_what_is_to_be_filled_in_from_what_is_wrong() {
        let unfilled = |text: &str| ImageRef::parse(text).unwrap_err().is_unfilled();
        for text in [
            "ko://example.com/cmd/web",
            "nginx:${TAG}",
            "$IMAGE",
            "gcr.io/<PROJECT>/web",
            "gcr.io/PROJECT_ID/web:1",
            "REGION-docker.pkg.dev/PROJECT_ID/web",
            "REGION_NAME-docker.pkg.dev/web",
            "IMAGE_URL",
            "IMAGE:TAG",
            "quay.io/YOUR_NAME/web",
        ] {
            assert!(unfilled(text), "{text}");
        }
        for text in ["quay.io/MyTeam/web", "quay.io/TEAM/web", "https://quay.io/web", "a//b", "nginx:", "quay.io/My_Team/web", "Nginx"] {
            assert!(!unfilled(text), "{text}");
        }
    }

    #[test]
    fn knows_official_images() {
        let official = |text: &str| ImageRef::parse(text).unwrap().is_official("busybox");
        assert!(
            official("busybox") && official("docker.io/busybox:1") && official("library/busybox") && official("docker.io/library/busybox")
        );
        assert!(!official("quay.io/busybox") && !official("me/busybox"));
    }
}
