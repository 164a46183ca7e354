//! The provider of cryptography.

/// Makes ring the provider of the whole process. To be called first in every main function.
///
/// Without it rustls panics at its first use as soon as a dependency brings a second provider.
pub fn install() {
    // An error says that a provider is installed already, which is what we want.
    drop(rustls::crypto::ring::default_provider().install_default());
}
