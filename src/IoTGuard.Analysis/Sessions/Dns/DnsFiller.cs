using System.Buffers.Binary;
using IoTGuard.Analysis.Flows;
using IoTGuard.Wire.Application.Dns;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Sessions;

/// <summary>From messages to the fields of transactions, and to what they say about devices.</summary>
internal static class DnsFiller
{
    /// <summary>Most answers looked into, and most authority and additional records behind them.</summary>
    private const int MaximumRead = 64;

    /// <summary>NetBIOS suffixes (RFC 1001 and Microsoft's): workstation, file server, domain, master browser. 03 may be a person's.</summary>
    private const byte PersonSuffix = 0x03;
    private const byte WorkstationSuffix = 0x00;
    private const byte ServerSuffix = 0x20;

    private const int NodeNameSize = 18;

    /// <summary>Longest key of a TXT string that is looked at, in bytes.</summary>
    private const int MaximumKey = 16;

    public static void Begin(DnsTransaction transaction, ApplicationProtocol kind, in DnsHeader header)
    {
        transaction.Kind = kind;
        transaction.Id = header.Id;
        transaction.Opcode = header.Opcode;
        transaction.Questions = header.Questions;
        transaction.RecursionDesired = header.RecursionDesired;
        transaction.Event = header.Opcode switch
        {
            DnsOpcode.Update or DnsOpcode.Release or DnsOpcode.Wait or DnsOpcode.Refresh when kind == ApplicationProtocol.Nbns => DnsEvent.Registration,
            DnsOpcode.Update => DnsEvent.Update,
            DnsOpcode.Notify => DnsEvent.Notify,
            _ => DnsEvent.Query,
        };
    }

    /// <summary>Name and type of the first question, and EDNS. False when the question cannot be read.</summary>
    public static bool FillQuestion(DnsTransaction transaction, in DnsHeader header, ReadOnlySpan<byte> message, int cut)
    {
        transaction.QueryBytes = message.Length + cut;
        var reader = new DnsReader(message);
        if (header.Questions > 0)
        {
            Span<byte> name = stackalloc byte[DnsName.MaximumLength];
            if (!reader.TryReadQuestion(name, out var length, out var question))
                return false;
            transaction.Type = question.Type;
            transaction.Class = question.Class;
            SetName(transaction, name[..length]);
        }

        for (var i = 1; i < Math.Min((int)header.Questions, MaximumRead); i++)
        {
            if (!reader.TrySkipQuestion(out _))
                return true;
        }

        if (header.IsResponse)
            return true;
        for (var i = 0; i < Math.Min(header.Records, MaximumRead); i++)
        {
            if (!reader.TryReadRecord(out _, out var record))
                break;
            if (record.Type == DnsType.Opt)
                transaction.EdnsSize = record.Class;
        }

        return true;
    }

    public static void FillResponse(DnsTransaction transaction, in DnsHeader header, int bytes)
    {
        transaction.ResponseCode = header.ResponseCode;
        transaction.Answers = header.Answers;
        transaction.ResponseBytes = bytes;
        transaction.IsTruncated = header.IsTruncated;
        transaction.IsAuthoritative = header.IsAuthoritative;
    }

    /// <summary>What the records say. False when one cannot be read.</summary>
    /// <param name="isSpeaker">True when the transaction's client told the records, false when its server did.</param>
    public static bool FillAnswers(SessionContext context, DnsTransaction transaction, in DnsHeader header, ReadOnlySpan<byte> message, bool isSpeaker)
    {
        var reader = new DnsReader(message);
        for (var i = 0; i < header.Questions; i++)
        {
            if (!reader.TrySkipQuestion(out _))
                return false;
        }

        // Additional records of mDNS and of NetBIOS registrations say as much as answers.
        int counted = transaction.Kind == ApplicationProtocol.Dns ? header.Answers : header.Records;
        for (var i = 0; i < Math.Min(counted, MaximumRead); i++)
        {
            if (!reader.TryReadRecord(out var nameOffset, out var record))
                return false;
            if (transaction.Questions == 0 && i == 0)
                FirstRecord(transaction, message, nameOffset, record);
            if (i < header.Answers && record.Type != DnsType.Opt)
                transaction.TimeToLive = transaction.TimeToLive < 0 ? record.TimeToLive : Math.Min(transaction.TimeToLive, record.TimeToLive);
            Read(context, transaction, message, nameOffset, record, isSpeaker ? transaction.Client : transaction.Server);
        }

        return true;
    }

    private static void FirstRecord(DnsTransaction transaction, ReadOnlySpan<byte> message, int nameOffset, in DnsRecord record)
    {
        Span<byte> name = stackalloc byte[DnsName.MaximumLength];
        transaction.Type = record.Type;
        transaction.Class = record.Class;
        if (DnsName.TryRead(message, ref nameOffset, name, out var length))
            SetName(transaction, name[..length]);
    }

    private static void Read(
        SessionContext context, DnsTransaction transaction, ReadOnlySpan<byte> message, int nameOffset, in DnsRecord record, IpAddress speaker)
    {
        var data = message.Slice(record.DataOffset, record.DataLength);
        switch (record.Type)
        {
            case DnsType.A when data.Length == 4:
                OnAddress(context, transaction, message, nameOffset, IpAddress.ReadIpv4(data));
                break;
            case DnsType.Aaaa when data.Length == 16:
                OnAddress(context, transaction, message, nameOffset, IpAddress.ReadIpv6(data));
                break;
            case DnsType.NetBios when transaction.Kind == ApplicationProtocol.Nbns && data.Length >= 6:
                // RFC 1002, 4.2.13: flags and address; the top flag says that it is a group's name.
                transaction.AddAddress(IpAddress.ReadIpv4(data[2..]));
                if ((data[0] & 0x80) == 0 && transaction.Suffix is WorkstationSuffix or ServerSuffix && transaction.ResponseCode <= 0)
                    transaction.Claim(IpAddress.ReadIpv4(data[2..]), ClaimKind.HostName, context.Texts.Of(transaction.Name.Bytes));
                break;
            case DnsType.Srv when transaction.Kind == ApplicationProtocol.Nbns:
                OnNodeStatus(context, transaction, data, speaker);
                break;
            case DnsType.Cname or DnsType.Ptr or DnsType.Dname:
                OnPointer(context, transaction, message, nameOffset, record);
                break;
            case DnsType.Srv when transaction.Kind == ApplicationProtocol.Mdns:
                OnService(context, transaction, message, nameOffset, speaker);
                break;
            case DnsType.Txt:
                transaction.OpaqueBytes += data.Length;
                if (transaction.Kind == ApplicationProtocol.Mdns)
                    OnText(context, transaction, data, speaker);
                break;
            case DnsType.Null or DnsType.Key or DnsType.Private:
                transaction.OpaqueBytes += data.Length;
                break;
            default:
                break;
        }
    }

    private static void OnAddress(SessionContext context, DnsTransaction transaction, ReadOnlySpan<byte> message, int nameOffset, IpAddress address)
    {
        transaction.AddAddress(address);

        // Names of the outside are many and never a device's of the site.
        if (!IpAddresses.IsPrivate(address))
            return;
        Span<byte> name = stackalloc byte[DnsName.MaximumLength];
        if (DnsName.TryRead(message, ref nameOffset, name, out var length))
            transaction.Claim(address, ClaimKind.HostName, context.Texts.Of(WithoutLocal(name[..length])));
    }

    private static void OnPointer(SessionContext context, DnsTransaction transaction, ReadOnlySpan<byte> message, int nameOffset, in DnsRecord record)
    {
        Span<byte> target = stackalloc byte[DnsName.MaximumLength];
        var at = record.DataOffset;
        if (!DnsName.TryRead(message, ref at, target, out var length))
            return;
        if (record.Type != DnsType.Ptr || transaction.Kind != ApplicationProtocol.Mdns)
            transaction.Alias.Set(target[..length]);
        Span<byte> name = stackalloc byte[DnsName.MaximumLength];
        if (record.Type != DnsType.Ptr || !DnsName.TryRead(message, ref nameOffset, name, out var nameLength))
            return;
        if (DnsReverse.TryRead(name[..nameLength], out var address))
        {
            if (IpAddresses.IsPrivate(address))
                transaction.Claim(address, ClaimKind.HostName, context.Texts.Of(WithoutLocal(target[..length])));
        }
        else if (transaction.Kind == ApplicationProtocol.Mdns)
        {
            // A PTR of _services._dns-sd leads to a type, one of a type to an instance, whose first label people choose.
            AddService(context, transaction, ServiceOf(target[..length]));
        }
    }

    private static void OnService(SessionContext context, DnsTransaction transaction, ReadOnlySpan<byte> message, int nameOffset, IpAddress speaker)
    {
        Span<byte> name = stackalloc byte[DnsName.MaximumLength];
        if (!DnsName.TryRead(message, ref nameOffset, name, out var length))
            return;
        var service = ServiceOf(name[..length]);
        AddService(context, transaction, service);
        if (!service.IsEmpty && transaction.Event == DnsEvent.Announcement)
            transaction.Claim(speaker, ClaimKind.Class, context.Texts.Of(service));
    }

    private static void AddService(SessionContext context, DnsTransaction transaction, ReadOnlySpan<byte> service)
    {
        if (context.Texts.Of(service) is { } text)
            transaction.AddService(text);
    }

    /// <summary>"_ipp._tcp" of any name that holds it; empty when none does.</summary>
    private static ReadOnlySpan<byte> ServiceOf(ReadOnlySpan<byte> name)
    {
        var end = name.IndexOf("._tcp"u8);
        if (end < 0)
            end = name.IndexOf("._udp"u8);
        if (end < 0)
            return default;
        var start = name[..end].LastIndexOf((byte)'.') + 1;
        return name[start] == '_' ? name[start..(end + 5)] : default;
    }

    /// <summary>RFC 6763, 6.3: strings of key=value. Only keys that printers and devices use for what they are.</summary>
    private static void OnText(SessionContext context, DnsTransaction transaction, ReadOnlySpan<byte> data, IpAddress speaker)
    {
        Span<char> buffer = stackalloc char[MaximumKey];
        while (data.Length > 1 && data[0] < data.Length)
        {
            var text = data.Slice(1, data[0]);
            data = data[(1 + text.Length)..];
            var equals = text.IndexOf((byte)'=');
            if (equals is <= 0 or > MaximumKey)
                continue;
            var key = buffer[..equals];
            for (var i = 0; i < equals; i++)
                key[i] = (char)(text[i] | 0x20);
            ClaimKind? kind = key switch
            {
                "model" or "md" or "ty" or "am" or "usb_mdl" or "hmodel" => ClaimKind.Model,
                "manufacturer" or "usb_mfg" or "vendor" or "mf" => ClaimKind.Vendor,
                "firmware" or "fw" or "osxvers" or "srcvers" => ClaimKind.Software,
                _ => null,
            };
            if (kind is { } known)
                transaction.Claim(speaker, known, context.Texts.Of(text[(equals + 1)..]));
        }
    }

    /// <summary>RFC 1002, 4.2.18: a count, then names of 15 bytes, suffix and flags.</summary>
    private static void OnNodeStatus(SessionContext context, DnsTransaction transaction, ReadOnlySpan<byte> data, IpAddress speaker)
    {
        if (data.IsEmpty)
            return;
        var count = data[0];
        data = data[1..];
        for (var i = 0; i < count && data.Length >= NodeNameSize; i++, data = data[NodeNameSize..])
        {
            var isGroup = (BinaryPrimitives.ReadUInt16BigEndian(data[16..]) & 0x8000) != 0;
            if (data[15] is not (WorkstationSuffix or ServerSuffix))
                continue;
            transaction.Claim(speaker, isGroup ? ClaimKind.Class : ClaimKind.HostName, context.Texts.Of(data[..DnsName.NetBiosLength]));
            if (!isGroup)
                return;
        }
    }

    private static void SetName(DnsTransaction transaction, Span<byte> name)
    {
        transaction.NameLength = name.Length;
        if (transaction.Kind == ApplicationProtocol.Nbns && DnsName.TryDecodeNetBios(name, out var length, out var suffix))
        {
            transaction.Suffix = suffix;
            transaction.Name.Set(suffix == PersonSuffix ? default : name[..length]);
            return;
        }

        var service = transaction.Kind == ApplicationProtocol.Mdns ? ServiceOf(name) : default;
        transaction.Name.Set(service.IsEmpty ? name : service);
    }

    private static ReadOnlySpan<byte> WithoutLocal(ReadOnlySpan<byte> name) => name.EndsWith(".local"u8) ? name[..^6] : name;
}
