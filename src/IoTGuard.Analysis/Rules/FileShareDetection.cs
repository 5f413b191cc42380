using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire.Application.Dcerpc;
using IoTGuard.Wire.Application.Smb;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Rules;

/// <summary>File shares in use and under attack, and the remote procedures of Windows over pipes and TCP.</summary>
internal sealed class FileShareDetection(DetectionContext context) : TransactionDetection
{
    /// <summary>Most clients, pairs and connections watched at once.</summary>
    public const int MaximumKeys = 8192;

    private readonly Rule _ransomware = context.Of(FileShareRules.Ransomware);
    private readonly Rule _deletion = context.Of(FileShareRules.MassDeletion);
    private readonly Rule _fanOut = context.Of(FileShareRules.FanOut);
    private readonly Rule _administrative = context.Of(FileShareRules.AdministrativeShare);
    private readonly Rule _service = context.Of(FileShareRules.RemoteService);
    private readonly Rule _enumeration = context.Of(FileShareRules.AccountEnumeration);
    private readonly Rule _dumping = context.Of(FileShareRules.CredentialDumping);
    private readonly Rule _refused = context.Of(FileShareRules.LogOnFailures);
    private readonly Rule _guest = context.Of(FileShareRules.Guest);
    private readonly Rule _version1 = context.Of(FileShareRules.Version1);
    private readonly Rule _exploit = context.Of(FileShareRules.Exploit);
    private readonly Rule _tools = context.Of(FileShareRules.ToolTransfer);
    private readonly Rule _image = context.Of(FileShareRules.ExecutableImage);
    private readonly KeyedState<(IpAddress Client, IpAddress Server), Work> _work = new(MaximumKeys, 600_000_000_000);
    private readonly KeyedState<IpAddress, Reach> _reach = new(MaximumKeys, 600_000_000_000);
    private readonly KeyedState<(IpAddress Client, ushort Port, IpAddress Server), Strangers> _strangers = new(MaximumKeys, 600_000_000_000);

    private sealed class Work(double filesSeconds, double refusedSeconds)
    {
        public readonly DistinctWindow Accounts = new(DetectionContext.Ns(refusedSeconds), 64);
        public readonly long WindowNs = DetectionContext.Ns(filesSeconds);
        public WindowSum Random;
        public WindowSum Sampled;
        public WindowSum Strange;
        public WindowSum Deletes;
        public WindowSum Refused;
    }

    private sealed class Reach(double fanOutSeconds, double listSeconds)
    {
        public readonly DistinctWindow Hosts = new(DetectionContext.Ns(fanOutSeconds), 256);
        public readonly DistinctWindow Lists = new(DetectionContext.Ns(listSeconds), 256);
        public readonly DistinctWindow Listed = new(DetectionContext.Ns(listSeconds), 256);
    }

    /// <summary>A connection whose client has no account.</summary>
    private sealed class Strangers
    {
    }

    public override void OnTransaction(Transaction transaction, long timeNs)
    {
        if (transaction is DcerpcTransaction { Event: DcerpcEvent.Operation, Operation: { } called })
            OnCall(transaction, called);
        if (transaction is not SmbTransaction smb)
            return;
        switch (smb.Event)
        {
            case SmbEvent.Negotiate when smb.Version == 1:
                context.Emit(context.Observe(_version1, context.ServerOf(smb), context.ClientOf(smb), smb.TimeNs, smb.TimeNs, 0.95), smb);
                break;
            case SmbEvent.Session:
                OnSession(smb);
                break;
            case SmbEvent.Tree when !NtStatus.IsFailure((uint)Math.Max(0, smb.Status)):
                OnTree(smb);
                break;
            case SmbEvent.Files:
                OnFiles(smb);
                break;
            case SmbEvent.Pipe when smb.Operation is { } operation:
                OnCall(smb, operation);
                break;
            case SmbEvent.Fault when smb.FaultText is "transaction2_session_setup" or "doublepulsar_answer" or "nt_transact_continued_by_transaction2" or "ms17_010_probe_answered":
                context.Emit(context.Observe(_exploit, context.ClientOf(smb), context.ServerOf(smb), smb.TimeNs, smb.TimeNs, 0.95)?.Include("signs", smb.FaultText), smb);
                break;
        }
    }

    private Work? WorkOf(Transaction transaction) => _work.Touch((transaction.Client, transaction.Server), transaction.TimeNs, this, static rules => new Work(rules._ransomware["window"], rules._refused["window"]));

    private Reach? ReachOf(Transaction transaction) => _reach.Touch(transaction.Client, transaction.TimeNs, this, static rules => new Reach(rules._fanOut["window"], rules._enumeration["window"]));

    private void OnSession(SmbTransaction session)
    {
        if (session.Status < 0)
            return;
        if (NtStatus.IsLogonFailure((uint)session.Status))
        {
            OnRefused(session);
            return;
        }

        if (NtStatus.IsFailure((uint)session.Status))
            return;
        if (session.IsGuest)
            context.Emit(context.Observe(_guest, context.ServerOf(session), context.ClientOf(session), session.TimeNs, session.TimeNs, 0.9), session);
        else if (session.IsAnonymous)
            _strangers.Touch((session.Client, session.ClientPort, session.Server), session.TimeNs, static () => new Strangers());

        var fact = new Fact(FactKind.Peer, session.Client, session.Server, Fact.NumberOf(session.IpProtocol, session.ServerPort));
        if (session.IsAnonymous || context.Facts.IsLearned(fact) || ReachOf(session) is not { } reach)
            return;
        reach.Hosts.Add(Fingerprint.Of(session.Server), session.TimeNs);
        if (reach.Hosts.Count >= _fanOut["hosts"])
        {
            context.Emit(context.Observe(_fanOut, context.ClientOf(session), context.ServerOf(session), reach.Hosts.FirstNs, session.TimeNs, 0.8)
                ?.Number("hosts", reach.Hosts.Count, "hosts", $"fewer than {_fanOut["hosts"]}").Number("period", _fanOut["window"], "s"), session);
        }
    }

    private void OnRefused(SmbTransaction session)
    {
        if (WorkOf(session) is not { } work)
            return;
        var window = DetectionContext.Ns(_refused["window"]);
        work.Refused.Add(1, session.TimeNs, window);
        if (!session.User.IsNone)
            work.Accounts.Add(session.User.High, session.TimeNs);
        if (work.Refused.Total < _refused["refused"])
            return;
        context.Emit(context.Observe(_refused, context.ClientOf(session), context.ServerOf(session), work.Refused.FirstNs, session.TimeNs, 0.9)
            ?.Number("refused", work.Refused.Total, "log-ons", $"fewer than {_refused["refused"]}").Number("accounts", work.Accounts.Count, "accounts").Number("period", _refused["window"], "s"), session);
    }

    private void OnTree(SmbTransaction tree)
    {
        if (tree.IsAdministrative)
        {
            if (context.IsUsual(_administrative, tree, out _))
                return;
            context.Emit(context.Observe(_administrative, context.ClientOf(tree), context.ServerOf(tree), tree.TimeNs, tree.TimeNs, 0.8)
                ?.Include("shares", tree.Share ?? "?").Include("hosts", context.NameOf(context.ServerOf(tree))), tree);
        }
        else if (tree.ShareKind == SmbShareKind.Disk && _strangers.Find((tree.Client, tree.ClientPort, tree.Server)) is not null)
        {
            context.Emit(context.Observe(_guest, context.ServerOf(tree), context.ClientOf(tree), tree.TimeNs, tree.TimeNs, 0.9)
                ?.Include("shares", tree.Share ?? "?"), tree);
        }
    }

    private void OnFiles(SmbTransaction files)
    {
        var counts = files.Files;
        if (counts.Executables > 0 && files.IsAdministrative)
        {
            context.Emit(context.Observe(_tools, context.ClientOf(files), context.ServerOf(files), files.TimeNs, files.TimeNs, 0.9)
                ?.Raise("programs", counts.Executables, "files", "0").Include("shares", files.Share ?? "?"), files);
        }

        if (counts.DicomExecutables > 0)
        {
            context.Emit(context.Observe(_image, context.ClientOf(files), context.ServerOf(files), files.TimeNs, files.TimeNs, 0.9)
                ?.Raise("files", counts.DicomExecutables, "files", "0"), files);
        }

        if (counts.RandomWrites + counts.Deletes + counts.StrangeExtensions == 0 || WorkOf(files) is not { } work)
            return;
        work.Random.Add(counts.RandomWrites, files.TimeNs, work.WindowNs);
        work.Sampled.Add(counts.SampledWrites, files.TimeNs, work.WindowNs);
        work.Strange.Add(counts.StrangeExtensions, files.TimeNs, work.WindowNs);
        work.Deletes.Add(counts.Deletes, files.TimeNs, work.WindowNs);
        if (work.Random.Total >= _ransomware["random_writes"] && work.Random.Total >= _ransomware["share"] * work.Sampled.Total
            && (work.Strange.Total >= _ransomware["renames"] || work.Deletes.Total >= _ransomware["deletes"]))
        {
            context.Emit(context.Observe(_ransomware, context.ClientOf(files), context.ServerOf(files), work.Random.FirstNs, files.TimeNs, 0.9)
                ?.Number("random writes", work.Random.Total, "writes", $"fewer than {_ransomware["random_writes"]}").Number("strange extensions", work.Strange.Total, "files")
                .Number("deletes", work.Deletes.Total, "files").Number("period", _ransomware["window"], "s"), files);
        }
        else if (work.Deletes.Total >= _deletion["deletes"])
        {
            context.Emit(context.Observe(_deletion, context.ClientOf(files), context.ServerOf(files), work.Deletes.FirstNs, files.TimeNs, 0.7)
                ?.Number("deletes", work.Deletes.Total, "files", $"fewer than {_deletion["deletes"]}").Number("period", _deletion["window"], "s"), files);
        }
    }

    private void OnCall(Transaction call, DcerpcOperation operation)
    {
        switch (operation.Use)
        {
            case DcerpcUse.ServiceControl or DcerpcUse.TaskScheduling:
                context.Emit(context.Observe(_service, context.ClientOf(call), context.ServerOf(call), call.TimeNs, call.TimeNs, 0.85)
                    ?.Include("operations", operation.Name), call);
                break;
            case DcerpcUse.Replication:
            case DcerpcUse.Registry when operation.Name.StartsWith("BaseRegSave", StringComparison.Ordinal):
                context.Emit(context.Observe(_dumping, context.ClientOf(call), context.ServerOf(call), call.TimeNs, call.TimeNs, 0.85)
                    ?.Include("operations", operation.Name), call);
                break;
            case DcerpcUse.AccountEnumeration or DcerpcUse.ShareEnumeration:
                if (ReachOf(call) is not { } reach)
                    break;
                reach.Lists.Add(Fingerprint.Of(call.Server) ^ Fingerprint.Of(operation.Name, (string?)null), call.TimeNs);
                reach.Listed.Add(Fingerprint.Of(call.Server), call.TimeNs);
                if (reach.Lists.Count < _enumeration["lists"])
                    break;
                context.Emit(context.Observe(_enumeration, context.ClientOf(call), context.ServerOf(call), reach.Lists.FirstNs, call.TimeNs, 0.8)
                    ?.Include("operations", operation.Name).Number("hosts", reach.Listed.Count, "hosts").Number("lists", reach.Lists.Count, "lists", $"fewer than {_enumeration["lists"]}"), call);
                break;
        }
    }
}
