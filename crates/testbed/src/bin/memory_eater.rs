//! `memory-eater [--name HEX] [--file FILE] [--sleep SECONDS] MIB`: fills that much memory, page by page, or that much of a file
//! (on a tmpfs: shared memory), then sleeps. The name is the process's own, as the kernel prints it: up to 15 bytes of anything but 0.

use std::fs::File;
use std::hint::black_box;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

const MIB: usize = 1024 * 1024;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (mut name, mut file, mut sleep, mut mib) = (None, None, 0, None);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--name" => name = arguments.next(),
            "--file" => file = arguments.next(),
            "--sleep" => sleep = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(0),
            number => mib = number.parse::<usize>().ok(),
        }
    }
    let Some(mib) = mib else { return ExitCode::from(2) };
    if let Some(name) = name
        && bytes(&name).and_then(|bytes| std::fs::write("/proc/self/comm", bytes).ok()).is_none()
    {
        return ExitCode::from(2);
    }
    let mut eaten = Vec::new();
    let done = if let Some(path) = file {
        fill(&path, mib).is_ok()
    } else {
        // A block at a time, so that the memory grows as a real program's does.
        eaten.extend((0..mib).map(|_| black_box(vec![1_u8; MIB])));
        true
    };
    std::thread::sleep(Duration::from_secs(sleep));
    black_box(eaten);
    if done { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn fill(path: &str, mib: usize) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    let block = vec![1_u8; MIB];
    (0..mib).try_for_each(|_| file.write_all(&block))
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = hex.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    digits?.chunks(2).map(|pair| if let [high, low] = pair { Some(high << 4 | low) } else { None }).collect()
}
