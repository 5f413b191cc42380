namespace IoTGuard.Wire.Application.Smb;

/// <summary>NTSTATUS values that matter here (MS-ERREF 2.3.1).</summary>
public static class NtStatus
{
    public const uint Success = 0;
    public const uint Pending = 0x0000_0103;
    public const uint NotImplemented = 0xC000_0002;
    public const uint MoreProcessingRequired = 0xC000_0016;
    public const uint InsufficientServerResources = 0xC000_0205;

    /// <summary>True when the severity is error (two topmost bits set), but not when only more processing is asked for.</summary>
    public static bool IsFailure(uint status) => status >> 30 == 3 && status != MoreProcessingRequired;

    /// <summary>True when a log-on was refused because of who or what was presented.</summary>
    public static bool IsLogonFailure(uint status) => status is 0xC000_006D or 0xC000_006A or 0xC000_0064 or 0xC000_0234 or 0xC000_0072 or 0xC000_0071
        or 0xC000_006E or 0xC000_006F or 0xC000_0070 or 0xC000_0193 or 0xC000_0224 or 0xC000_015B;

    /// <summary>Name of a status without STATUS_, lower snake case; null for one that has no name here.</summary>
    public static string? NameOf(uint status) => status switch
    {
        Success => "success",
        Pending => "pending",
        0x8000_0005 => "buffer_overflow",
        0x8000_0006 => "no_more_files",
        NotImplemented => "not_implemented",
        0xC000_0003 => "invalid_info_class",
        0xC000_0008 => "invalid_handle",
        0xC000_000D => "invalid_parameter",
        0xC000_000F => "no_such_file",
        MoreProcessingRequired => "more_processing_required",
        0xC000_0022 => "access_denied",
        0xC000_0033 => "object_name_invalid",
        0xC000_0034 => "object_name_not_found",
        0xC000_0035 => "object_name_collision",
        0xC000_003A => "object_path_not_found",
        0xC000_0043 => "sharing_violation",
        0xC000_0064 => "no_such_user",
        0xC000_006A => "wrong_password",
        0xC000_006D => "logon_failure",
        0xC000_006E => "account_restriction",
        0xC000_006F => "invalid_logon_hours",
        0xC000_0070 => "invalid_workstation",
        0xC000_0071 => "password_expired",
        0xC000_0072 => "account_disabled",
        0xC000_00AC => "pipe_not_available",
        0xC000_00BB => "not_supported",
        0xC000_00C9 => "network_name_deleted",
        0xC000_00CC => "bad_network_name",
        0xC000_0101 => "directory_not_empty",
        0xC000_0120 => "cancelled",
        0xC000_015B => "logon_type_not_granted",
        0xC000_0193 => "account_expired",
        0xC000_0203 => "user_session_deleted",
        InsufficientServerResources => "insufficient_server_resources",
        0xC000_0224 => "password_must_change",
        0xC000_0234 => "account_locked_out",
        _ => null,
    };
}
