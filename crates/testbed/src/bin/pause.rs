//! The sandbox of every pod: keeps its namespaces open and does nothing.

fn main() {
    loop {
        std::thread::park();
    }
}
