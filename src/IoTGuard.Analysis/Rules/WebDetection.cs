using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire.Application.Dicom;
using IoTGuard.Wire.Application.Files;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Rules;

/// <summary>HTTP: what is open, guessed, scanned, attacked, held up.</summary>
internal sealed class WebDetection(DetectionContext context) : TransactionDetection
{
    /// <summary>Most pairs of client and server watched at once.</summary>
    public const int MaximumPairs = 16_384;

    /// <summary>Different paths counted exactly per pair.</summary>
    public const int MaximumPaths = 256;

    /// <summary>How scanners and attack tools name themselves, lower case.</summary>
    private static readonly string[] Scanners =
        ["nmap scripting engine", "nikto", "sqlmap", "gobuster", "dirbuster", "feroxbuster", "ffuf", "nuclei", "masscan", "zgrab", "wpscan", "openvas", "nessus", "hydra", "wfuzz", "arachni", "acunetix"];

    private readonly Rule _open = context.Of(WebRules.OpenRecords);
    private readonly Rule _clear = context.Of(WebRules.ClearCredentials);
    private readonly Rule _guess = context.Of(WebRules.PasswordGuessing);
    private readonly Rule _scan = context.Of(WebRules.Scan);
    private readonly Rule _attack = context.Of(WebRules.Attack);
    private readonly Rule _engine = context.Of(WebRules.EngineAdministration);
    private readonly Rule _program = context.Of(WebRules.DisguisedProgram);
    private readonly Rule _smuggling = context.Of(WebRules.Smuggling);
    private readonly Rule _slow = context.Of(WebRules.SlowRequests);
    private readonly KeyedState<(IpAddress Client, IpAddress Server), Pair> _pairs = new(MaximumPairs, 600_000_000_000);

    private sealed class Pair(long scanWindowNs)
    {
        public readonly DistinctWindow Missing = new(scanWindowNs, MaximumPaths);
        public WindowSum Requests;
        public WindowSum Refused;
        public WindowSum Accepted;
        public WindowSum Smuggled;
        public WindowSum Slow;
    }

    public override void OnTransaction(Transaction transaction, long timeNs)
    {
        switch (transaction)
        {
            case HttpTransaction { Event: HttpEvent.Request } request:
                OnRequest(request);
                break;
            case HttpTransaction { Facts.SentByServer: false } fault:
                OnFault(fault);
                break;
            case DicomFileTransaction file when Part10File.IsExecutable(file.Preamble):
                OnProgram(file, "a DICOM file whose preamble is " + HttpTransaction.NameOf(file.Preamble), file.SentByServer);
                break;
        }
    }

    private Pair? PairOf(Transaction transaction) =>
        _pairs.Touch((transaction.Client, transaction.Server), transaction.TimeNs, _scan, static rule => new Pair(DetectionContext.Ns(rule["window"])));

    private OpenAlert? Observe(Rule rule, Transaction transaction, double confidence, long firstNs = long.MaxValue, long count = 1)
    {
        var open = context.Observe(rule, context.ClientOf(transaction), context.ServerOf(transaction),
            Math.Min(firstNs, transaction.TimeNs), transaction.TimeNs, confidence, count);
        return Mark(open, transaction);
    }

    /// <summary>A finding about the server.</summary>
    private OpenAlert? ObserveServer(Rule rule, Transaction transaction, double confidence)
    {
        var open = context.Observe(rule, context.ServerOf(transaction), context.ClientOf(transaction),
            transaction.TimeNs, transaction.TimeNs, confidence);
        return Mark(open, transaction);
    }

    private static OpenAlert? Mark(OpenAlert? open, Transaction transaction)
    {
        if (open is null)
            return null;
        open.Alert.Protocol = transaction.Protocol;
        return open.Flow(transaction);
    }

    private void OnRequest(HttpTransaction request)
    {
        ref readonly var facts = ref request.Facts;
        if (context.Scope.IsInside(request.Server))
        {
            CheckOpen(request);
            if (facts.Authentication == HttpAuthentication.Basic && request.IsSuccess && Observe(_clear) is { } clear)
                context.Alerts.Emit(clear);
        }

        if (facts.Sign != WebSign.None && facts.Method is not null)
            OnSign(request);
        else if (facts is { Service: HttpService.Orthanc, Operation: "execute-script", Status: not (404 or 405) })
            OnEngine(request, "a script for Orthanc");
        CheckPrograms(request);
        if (PairOf(request) is not { } pair)
            return;
        CheckScan(request, pair);
        CheckGuessing(request, pair);

        OpenAlert? Observe(Rule rule) => ObserveServer(rule, request, 0.95);
    }

    private void CheckOpen(HttpTransaction request)
    {
        ref readonly var facts = ref request.Facts;
        if (!request.IsSuccess || !WebRecords.IsRecords(in facts) || !(request.IsUnauthenticated || facts.DefaultCredentials) || facts.Method is null)
            return;
        if (ObserveServer(_open, request, 0.9) is not { } open)
            return;
        open.Include("services", HttpTransaction.NameOf(facts.Service));
        if (facts.DefaultCredentials)
            open.Text("credentials", "those that the product ships with", "own ones");
        context.Alerts.Emit(open);
    }

    private void OnSign(HttpTransaction request)
    {
        ref readonly var facts = ref request.Facts;
        if (facts.Sign == WebSign.Deserialization)
        {
            OnEngine(request, facts.Service == HttpService.InterfaceEngine ? "a serialised program for its administration interface" : "a serialised program");
            return;
        }

        if (Observe(_attack, request, request.IsSuccess ? 0.9 : 0.75) is not { } open)
            return;
        open.Include("signs", HttpTransaction.NameOf(facts.Sign).Replace('_', ' ')).Raise("successes", request.IsSuccess ? 1 : 0, "requests", "0");
        context.Alerts.Emit(open);
    }

    private void OnEngine(HttpTransaction request, string what)
    {
        if (Observe(_engine, request, request.IsSuccess ? 0.95 : 0.85)?.Include("what", what) is { } open)
            context.Alerts.Emit(open);
    }

    private void CheckPrograms(HttpTransaction request)
    {
        ref readonly var facts = ref request.Facts;
        if (facts.Objects > 0 && Part10File.IsExecutable(facts.Preamble))
            OnProgram(request, "a DICOM file whose preamble is " + HttpTransaction.NameOf(facts.Preamble), sentByServer: facts.Method is "GET");
        else if (FileKinds.IsExecutable(facts.RequestContent) && IsHarmlessType(facts.RequestType))
            OnProgram(request, $"{FileKinds.NameOf(facts.RequestContent)} declared as {facts.RequestType}", sentByServer: false);
        else if (FileKinds.IsExecutable(facts.ResponseContent) && facts.ResponseContent != FileKind.Script && IsHarmlessType(facts.ResponseType))
            OnProgram(request, $"{FileKinds.NameOf(facts.ResponseContent)} declared as {facts.ResponseType}", sentByServer: true);
    }

    private static bool IsHarmlessType(string? type) =>
        type is not null && (type.StartsWith("image/", StringComparison.Ordinal) || type.StartsWith("application/dicom", StringComparison.Ordinal) || type.StartsWith("font/", StringComparison.Ordinal)
            || type is "application/pdf" or "text/html" or "text/css" or "application/json" or "application/fhir+json" or "application/hl7-v2");

    private void OnProgram(Transaction transaction, string what, bool sentByServer)
    {
        var open = sentByServer ? ObserveServer(_program, transaction, 0.9) : Observe(_program, transaction, 0.9);
        if (open is null)
            return;
        open.Include("what", what.Replace('_', ' '));
        context.Alerts.Emit(open);
    }

    private void CheckScan(HttpTransaction request, Pair pair)
    {
        ref readonly var facts = ref request.Facts;
        var now = request.TimeNs;
        pair.Requests.Add(1, now, DetectionContext.Ns(_scan["window"]));
        if (facts.Status is 400 or 403 or 404 or 405 or 501 && facts.Method is not null)
            pair.Missing.Add(facts.PathHash, now);
        var program = ScannerOf(facts.UserAgent);
        var many = pair.Missing.Count >= 2 * _scan["paths"] || (pair.Missing.Count >= _scan["paths"] && pair.Missing.Count >= _scan["share"] * pair.Requests.Total);
        if (program is null && !many)
            return;
        if (Observe(_scan, request, many ? 0.85 : 0.9, pair.Requests.FirstNs) is not { } open)
            return;
        open.Number("paths", pair.Missing.Count, "paths", $"fewer than {_scan["paths"]}").Number("period", _scan["window"], "s").Text("program", program ?? facts.UserAgent ?? "not named");
        context.Alerts.Emit(open);
    }

    private static string? ScannerOf(string? agent)
    {
        if (agent is null)
            return null;
        foreach (var scanner in Scanners)
        {
            if (agent.Contains(scanner, StringComparison.OrdinalIgnoreCase))
                return scanner;
        }

        return null;
    }

    private void CheckGuessing(HttpTransaction request, Pair pair)
    {
        ref readonly var facts = ref request.Facts;
        if (facts.Authentication is not (HttpAuthentication.Basic or HttpAuthentication.Digest or HttpAuthentication.Ntlm or HttpAuthentication.Negotiate))
            return;
        var now = request.TimeNs;
        var window = DetectionContext.Ns(_guess["window"]);
        if (request.IsSuccess)
            pair.Accepted.Add(1, now, window);
        if (facts.Status != 401)
            return;
        // All but basic refuse once as a part of each log-in.
        pair.Refused.Add(1, now, window);
        if (pair.Refused.Total < (facts.Authentication == HttpAuthentication.Basic ? _guess["refused"] : _guess["handshakes"]) || pair.Refused.Total < 2 * pair.Accepted.Total)
            return;
        if (Observe(_guess, request, 0.85, pair.Refused.FirstNs) is not { } open)
            return;
        open.Number("refused", Math.Max(open.Alert.Count, pair.Refused.Total), "requests", $"fewer than {_guess["refused"]} in {_guess["window"]} s").Number("accepted", pair.Accepted.Total, "requests");
        context.Alerts.Emit(open);
    }

    private void OnFault(HttpTransaction fault)
    {
        var kind = fault.Facts.Fault;
        var isSlow = kind == HttpFault.SlowHead;
        if (!(isSlow || HttpTransaction.IsSmuggling(kind)) || PairOf(fault) is not { } pair)
            return;
        var rule = isSlow ? _slow : _smuggling;
        ref var sum = ref isSlow ? ref pair.Slow : ref pair.Smuggled;
        sum.Add(1, fault.TimeNs, DetectionContext.Ns(rule["window"]));
        if (sum.Total < rule[isSlow ? "connections" : "faults"])
            return;
        if (Observe(rule, fault, 0.8, sum.FirstNs) is not { } open)
            return;
        if (isSlow)
            open.Number("connections", Math.Max(open.Alert.Count, sum.Total), "connections", "0");
        else
            open.Include("what", HttpTransaction.NameOf(kind).Replace('_', ' '));
        context.Alerts.Emit(open);
    }
}
