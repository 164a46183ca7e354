//! The codes of Windows containers: NTSTATUS values, which the status shows as a negative 32-bit integer.

/// The name of an NTSTATUS value (`ntstatus.h`), given unsigned or as the status shows it.
pub(super) fn name(code: i64) -> Option<&'static str> {
    let value = i32::try_from(code).map(i32::cast_unsigned).or_else(|_| u32::try_from(code)).ok()?;
    Some(match value {
        0xC000_0005 => "STATUS_ACCESS_VIOLATION (0xC0000005)",
        0xC000_0017 => "STATUS_NO_MEMORY (0xC0000017)",
        0xC000_001D => "STATUS_ILLEGAL_INSTRUCTION (0xC000001D)",
        0xC000_0022 => "STATUS_ACCESS_DENIED (0xC0000022)",
        0xC000_0094 => "STATUS_INTEGER_DIVIDE_BY_ZERO (0xC0000094)",
        0xC000_00FD => "STATUS_STACK_OVERFLOW (0xC00000FD)",
        0xC000_012D => "STATUS_COMMITMENT_LIMIT (0xC000012D)",
        0xC000_0135 => "STATUS_DLL_NOT_FOUND (0xC0000135)",
        0xC000_0139 => "STATUS_ENTRYPOINT_NOT_FOUND (0xC0000139)",
        0xC000_013A => "STATUS_CONTROL_C_EXIT (0xC000013A)",
        0xC000_0142 => "STATUS_DLL_INIT_FAILED (0xC0000142)",
        0xC000_0374 => "STATUS_HEAP_CORRUPTION (0xC0000374)",
        0xC000_0409 => "STATUS_STACK_BUFFER_OVERRUN (0xC0000409)",
        0x8007_0002 => "ERROR_FILE_NOT_FOUND (0x80070002)",
        0x8007_0005 => "E_ACCESSDENIED (0x80070005)",
        _ => return None,
    })
}
