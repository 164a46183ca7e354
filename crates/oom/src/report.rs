//! What a report says about the memory, for people.

/// The counters, kinds of memory and largest tasks of one report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Memory of the cgroup whose limit was reached.
    pub memory: Option<Usage>,
    /// Its memory and swap together (cgroup v1).
    pub memory_and_swap: Option<Usage>,
    /// Its swap (cgroup v2).
    pub swap: Option<Usage>,
    /// Its kernel memory (cgroup v1).
    pub kernel: Option<Usage>,
    /// Its memory by kind.
    pub stats: Stats,
    /// The largest tasks that could have been killed, the largest first.
    pub tasks: Vec<Task>,
    /// How many tasks the table held.
    pub task_count: u64,
}

/// A counter with a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// In KiB.
    pub usage_kb: u64,
    /// In KiB; absent where there is no limit.
    pub limit_kb: Option<u64>,
    /// How often the limit was met.
    pub failcnt: u64,
}

/// Memory by kind, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Anonymous memory: heaps and stacks.
    pub anon: Option<u64>,
    /// Page cache, with `shmem`.
    pub file: Option<u64>,
    /// tmpfs, `emptyDir` with medium Memory, and shared memory.
    pub shmem: Option<u64>,
    /// All kernel memory.
    pub kernel: Option<u64>,
    /// Kernel stacks.
    pub kernel_stack: Option<u64>,
    /// Page tables.
    pub pagetables: Option<u64>,
    /// Network buffers.
    pub sock: Option<u64>,
    /// The kernel's own objects.
    pub slab: Option<u64>,
    /// Swapped out.
    pub swap: Option<u64>,
}

/// A row of the table of tasks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Task {
    /// The process id.
    pub pid: u32,
    /// Its name.
    pub comm: Vec<u8>,
    /// Resident memory in pages.
    pub rss_pages: u64,
    /// Virtual size in pages.
    pub total_vm_pages: u64,
    /// `oom_score_adj`.
    pub oom_score_adj: Option<i32>,
}

impl Stats {
    /// Takes one line of `memory.stat`, in bytes. Values of several cgroups add up.
    pub(crate) fn take(&mut self, name: &[u8], bytes: u64) {
        let kind = match name {
            b"anon" | b"rss" => &mut self.anon,
            b"file" | b"cache" => &mut self.file,
            b"shmem" => &mut self.shmem,
            b"kernel" => &mut self.kernel,
            b"kernel_stack" => &mut self.kernel_stack,
            b"pagetables" => &mut self.pagetables,
            b"sock" => &mut self.sock,
            b"slab" => &mut self.slab,
            b"swap" => &mut self.swap,
            _ => return,
        };
        *kind = Some(kind.unwrap_or(0).saturating_add(bytes));
    }
}

impl Report {
    /// The size of the machine's pages in KiB, told from the victim: its row of the table counts pages and its kill line KiB.
    pub fn page_kb(&self, pid: Option<u32>, total_vm_kb: Option<u64>) -> u64 {
        let row = self.tasks.iter().find(|task| Some(task.pid) == pid && task.total_vm_pages > 0);
        let told = row.zip(total_vm_kb).and_then(|(row, kb)| kb.checked_div(row.total_vm_pages));
        told.filter(|kb| matches!(kb, 4 | 8 | 16 | 64)).unwrap_or(4)
    }
}
