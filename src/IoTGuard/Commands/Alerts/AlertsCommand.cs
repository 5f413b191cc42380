using System.Buffers;
using System.CommandLine;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Outputs;
using IoTGuard.Sites.State;

namespace IoTGuard.Commands.Alerts;

/// <summary><c>iotguard alerts</c>: what a site's state remembers, and what analysts say about it.</summary>
internal static class AlertsCommand
{
    /// <summary>How long a suppression holds when nothing else is said, days.</summary>
    private const int SuppressionDays = 90;

    public static Command Create() => new("alerts", """
        Works on the alerts that 'analyze --site' and 'sensor --site' left in a site. IDs may be shortened as long as one alert is meant.

        Examples:
          iotguard alerts list --site /var/lib/iotguard/site --severity 7 --state unanswered
          iotguard alerts show 69c7bf4e --site /var/lib/iotguard/site
          iotguard alerts label 69c7bf4e benign --note "inventory scan of the IT department" --site /var/lib/iotguard/site
        """)
    {
        AlertListCommand.Create(), Show(), Label(), Suppress(), Unsuppress(), ListSuppressions(), Report(),
    };

    /// <summary>The alert that an id or the beginning of one means.</summary>
    public static StoredAlert Find(IReadOnlyList<StoredAlert> alerts, string id, string folder)
    {
        var found = alerts.Where(a => a.Id.StartsWith(id, StringComparison.OrdinalIgnoreCase)).Take(4).ToList();
        if (found.Count == 1)
            return found[0];
        throw new UserException(ExitStatus.Unusable, (found.Count, alerts.Count) switch
        {
            (0, 0) => $"the site {folder} remembers no alerts yet; 'iotguard analyze CAPTURE --site {folder}' and 'iotguard sensor --site {folder}' write them",
            (0, _) => $"there is no alert {id}; 'iotguard alerts list --site {folder}' lists them",
            _ => $"{id} means more than one alert ({string.Join(", ", found.Take(3).Select(a => a.Id[..Math.Min(a.Id.Length, id.Length + 4)]))} ...); give more digits",
        });
    }

    /// <summary>All alerts of a site; none when it remembers none.</summary>
    public static List<StoredAlert> All(string folder)
    {
        using var state = SiteState.OpenToRead(folder);
        return state?.Alerts() ?? [];
    }

    private static Argument<string> Id() => new("ID") { Description = "Id of an alert, or its first digits" };

    private static Command Show()
    {
        var (id, site) = (Id(), ListOptions.Site());
        var json = new Option<bool>("--json") { Description = "Print the alert as JSON, with its state, events and answers" };
        var command = new Command("show", """
            Tells the whole story of an alert: what, who, since when, why it is unusual, the evidence, what to do, and what belongs to it.

            Example:
              iotguard alerts show 69c7bf4e --site /var/lib/iotguard/site
            """)
        {
            id, site, json,
        };
        command.SetAction(parsed =>
        {
            var folder = parsed.GetValue(site)!;
            using var state = SiteState.OpenToRead(folder);
            var alerts = state?.Alerts() ?? [];
            var alert = Find(alerts, parsed.GetValue(id)!, folder);
            var story = new AlertStory(alert, alerts, state!.EventsOf(alert.Id), state.AnswersTo(alert.Id), state.Suppressions());
            if (parsed.GetValue(json))
                story.WriteJson();
            else
                story.Print(Terminal.Output);
            return ExitStatus.Done;
        });
        return command;
    }

    private static Command Label()
    {
        var (id, site) = (Id(), ListOptions.Site());
        var answer = new Argument<string>("ANSWER") { Description = "true = right, and it matters; benign = right, but rightful here; wrong = no finding" };
        answer.AcceptOnlyFromAmong([.. Answers.All]);
        var note = ListOptions.Text("--note", "Why, for those who read it later", "TEXT");
        var duration = ListOptions.Text("--for", $"How long 'benign' also suppresses the same finding (default: {SuppressionDays}d)", "DURATION");
        var keep = new Option<bool>("--keep-telling") { Description = "Do not suppress anything with 'benign'" };
        var command = new Command("label", """
            Gives one of an analyst's three answers to an alert. The last answer counts; all are kept. 'benign' also suppresses the same rule for the
            same device (and peer, where the rule looks at pairs) for a time; 'iotguard alerts unsuppress' takes that back.

            Examples:
              iotguard alerts label 69c7bf4e true --site /var/lib/iotguard/site
              iotguard alerts label 69c7bf4e benign --note "nightly copy to the archive" --for 26w --site /var/lib/iotguard/site
              iotguard alerts label 69c7bf4e wrong --site /var/lib/iotguard/site
            """)
        {
            id, answer, note, duration, keep, site,
        };
        command.SetAction(parsed =>
        {
            var folder = parsed.GetValue(site)!;
            var alert = Find(All(folder), parsed.GetValue(id)!, folder);
            using var state = SiteState.OpenToWrite(folder);
            var (said, why, now) = (parsed.GetValue(answer)!, parsed.GetValue(note), ListOptions.NowNs());
            var holds = ListOptions.Duration(parsed.GetValue(duration) ?? $"{SuppressionDays}d", "--for");
            state.Answer(alert.Id, said, why, now);
            Console.Out.WriteLine($"{alert.Id[..8]} is labelled {said}.");
            if (said == Answers.Benign && !parsed.GetValue(keep))
                Say(state, state.Add(Same(alert, why ?? $"benign here (answer to alert {alert.Id[..8]})", Math.Max(now, alert.LastNs) + holds, now)));
            return ExitStatus.Done;
        });
        return command;
    }

    private static Command Suppress()
    {
        var id = new Argument<string?>("ID") { Description = "Alert whose rule, device and peer are meant", Arity = ArgumentArity.ZeroOrOne };
        var site = ListOptions.Site();
        var rule = ListOptions.Text("--rule", "Only this rule", "RULE");
        var device = ListOptions.Text("--device", "Only alerts about this address, network or hardware address", "ADDRESS");
        var peer = ListOptions.Text("--peer", "Only alerts whose other side is this address, network or hardware address", "ADDRESS");
        var reason = new Option<string>("--reason") { Description = "Why, for those who read it later", HelpName = "TEXT", Required = true };
        var duration = ListOptions.Text("--for", $"How long (default: {SuppressionDays}d)", "DURATION");
        var until = ListOptions.Text("--until", "Until when, instead of --for", "TIME");
        var from = ListOptions.Text("--from", "From when (default: all that came before, too)", "TIME");
        var command = new Command("suppress", """
            Says that alerts of a kind are not news: of a rule, a device, a peer, or any of these together, until a time. 'analyze --site' and
            'sensor --site' then count and mark them, and send them nowhere; running sensors take it over within seconds. Times are compared with the
            packet time at which alerts are raised.

            Examples:
              iotguard alerts suppress 69c7bf4e --reason "known; replaced in May" --for 26w --site /var/lib/iotguard/site
              iotguard alerts suppress --rule port-scan --device 10.20.1.9 --reason "vulnerability scanner" --site /var/lib/iotguard/site
            """)
        {
            id, rule, device, peer, reason, duration, until, from, site,
        };
        command.SetAction(parsed =>
        {
            var folder = parsed.GetValue(site)!;
            var now = ListOptions.NowNs();
            var alert = parsed.GetValue(id) is { } text ? Find(All(folder), text, folder) : null;
            var scope = alert is null ? new Suppression(0, null, null, null, null, 0, "", null, now, null) : Same(alert, "", 0, now);
            scope = scope with
            {
                Rule = parsed.GetValue(rule) ?? scope.Rule,
                Device = Party(parsed.GetValue(device), "--device") ?? scope.Device,
                Peer = Party(parsed.GetValue(peer), "--peer") ?? scope.Peer,
            };
            if (scope.Scope.Length == 0)
                throw new UserException(ExitStatus.Unusable, "say what to suppress: an alert's ID, --rule, --device or --peer");
            var start = Math.Max(now, alert?.LastNs ?? 0);
            var end = parsed.GetValue(until) is { } time ? ListOptions.Time(time, "--until") : start + ListOptions.Duration(parsed.GetValue(duration) ?? $"{SuppressionDays}d", "--for");
            long? begin = parsed.GetValue(from) is { } first ? ListOptions.Time(first, "--from") : null;
            if (end <= (begin ?? long.MinValue))
                throw new UserException(ExitStatus.Unusable, "the suppression would end before it begins");
            using var state = SiteState.OpenToWrite(folder);
            Say(state, state.Add(scope with { FromNs = begin, UntilNs = end, Reason = parsed.GetValue(reason)! }));
            return ExitStatus.Done;
        });
        return command;
    }

    private static Command Unsuppress()
    {
        var number = new Argument<long>("NUMBER") { Description = "Number of a suppression, see 'iotguard alerts suppressions'" };
        var site = ListOptions.Site();
        var command = new Command("unsuppress", """
            Takes a suppression back.

            Example:
              iotguard alerts unsuppress 3 --site /var/lib/iotguard/site
            """)
        {
            number, site,
        };
        command.SetAction(parsed =>
        {
            var folder = parsed.GetValue(site)!;
            using var state = SiteState.OpenToWrite(folder);
            var which = parsed.GetValue(number);
            if (!state.End(which, ListOptions.NowNs()))
                throw new UserException(ExitStatus.Unusable, $"there is no suppression {which} in force; 'iotguard alerts suppressions --site {folder}' lists them");
            Console.Out.WriteLine($"Suppression {which} is taken back.");
            return ExitStatus.Done;
        });
        return command;
    }

    private static Command ListSuppressions()
    {
        var site = ListOptions.Site();
        var format = ListOptions.Format();
        var command = new Command("suppressions", """
            Lists all suppressions of a site, with how many of the remembered alerts each covers.

            Example:
              iotguard alerts suppressions --site /var/lib/iotguard/site
            """)
        {
            format, site,
        };
        command.SetAction(parsed =>
        {
            using var state = SiteState.OpenToRead(parsed.GetValue(site)!);
            SuppressionList.Write(state?.Suppressions() ?? Suppressions.None, state?.Alerts() ?? [], parsed.GetValue(format));
            return ExitStatus.Done;
        });
        return command;
    }

    private static Command Report()
    {
        var (id, site) = (Id(), ListOptions.Site());
        var aware = ListOptions.Text("--aware", "When the organisation became aware of the incident (default: when the alert was raised)", "TIME");
        var output = ListOptions.Text("--output", "Write the draft to a file (default: standard output)", "FILE");
        var command = new Command("report", """
            Writes a draft in Markdown of what NIS2 article 23 and GDPR article 33 ask for, with the clocks of 24 hours, 72 hours and one month. Parts in
            [brackets] are for people to fill in or to decide.

            Example:
              iotguard alerts report 69c7bf4e --site /var/lib/iotguard/site --output incident.md
            """)
        {
            id, aware, output, site,
        };
        command.SetAction(parsed =>
        {
            var folder = parsed.GetValue(site)!;
            var alerts = All(folder);
            var alert = Find(alerts, parsed.GetValue(id)!, folder);
            var awareNs = parsed.GetValue(aware) is { } time ? ListOptions.Time(time, "--aware") : alert.RaisedNs;
            var text = new IncidentReport(alert, alerts, awareNs, parsed.GetValue(aware) is not null).Write();
            if (parsed.GetValue(output) is not { } file)
            {
                Console.Out.Write(text);
                return ExitStatus.Done;
            }

            using var written = OutputFile.Create(file);
            written.Buffer.Write(System.Text.Encoding.UTF8.GetBytes(text.TrimEnd('\n')));
            written.EndLine();
            written.Flush();
            return written.LossReason is null ? ExitStatus.Done : throw new UserException(ExitStatus.Lost, $"the draft could not be written to {file}: {written.LossReason}");
        });
        return command;
    }

    /// <summary>What suppresses the same finding again.</summary>
    private static Suppression Same(StoredAlert alert, string reason, long untilNs, long nowNs)
    {
        var rule = Analysis.Rules.RuleTable.Rules.FirstOrDefault(r => r.Id == alert.Rule);
        var pairs = rule is null || rule.Has(Analysis.Rules.RuleTraits.PerPeer);
        return new Suppression(
            0, alert.Rule, alert.Of("device", "ip") ?? alert.Of("device", "mac"), pairs ? alert.Of("peer", "ip") : null, null, untilNs, reason, alert.Id, nowNs, null);
    }

    private static string? Party(string? text, string option) => text is null || Suppression.IsParty(text)
        ? text
        : throw new UserException(ExitStatus.Unusable, $"{option} takes an address, a network such as 10.20.0.0/16, or a hardware address, not {text}");

    private static void Say(SiteState state, long number)
    {
        var made = state.Suppressions().All.First(s => s.Id == number);
        var covered = state.Alerts().Count(a => a.IsCoveredBy(made));
        Console.Out.WriteLine($"Suppression {number} ({made.Scope}) holds until {PacketTime.ForPeople(made.UntilNs)}; it covers {RunSummary.Number(covered)} of the alerts so far. 'iotguard alerts unsuppress {number}' takes it back.");
    }
}
