using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using IoTGuard.Benchmarks.Baselines;
using IoTGuard.Benchmarks.Gate;
using IoTGuard.Benchmarks.Loops;

const string Usage = """
    IoTGuard.Benchmarks                        BenchmarkDotNet over all stages (its own arguments follow, such as --filter '*Flow*')
    IoTGuard.Benchmarks gate [BUDGETS]         bytes allocated per operation of every stage against benchmarks/budgets.json
    IoTGuard.Benchmarks stages CAPTURE         nanoseconds per packet of read, decode, flow look-up, sensor, detector, each added to the one before
    IoTGuard.Benchmarks attacks CAPTURE        throughput under traffic made to cost much, against a capture of normal traffic
    IoTGuard.Benchmarks floor CAPTURE          map, decode, flow hash: the floor that the program is compared with
    IoTGuard.Benchmarks decode-floor CAPTURE   map, decode
    IoTGuard.Benchmarks scale FLOWS            nanoseconds per packet and bytes per flow with 1,000 to so many flows open
    IoTGuard.Benchmarks steady CAPTURE         bytes allocated per packet by the whole program, once warm
    IoTGuard.Benchmarks repeat CAPTURE N       writes a pcap capture N times, later each time, to standard output
    IoTGuard.Benchmarks packetdotnet CAPTURE   SharpPcap and PacketDotNet: read, decode, addresses, flow hash (where the packages are)
    IoTGuard.Benchmarks readers CAPTURE        a capture read by us, by our adapter of SharpPcap, and by SharpPcap's usual loop, in turns
    IoTGuard.Benchmarks trees ROWS             an isolation forest beside scikit-learn's, and ML.NET's trees scored by us and by ML.NET, in turns
    """;

switch (args)
{
    case ["gate", .. var rest]:
        return AllocationGate.Run(rest.Length > 0 ? rest[0] : Path.Combine(AppContext.BaseDirectory, "budgets.json"));
    case ["stages", var capture]:
        return StageTimes.Run(capture);
    case ["attacks", var capture]:
        return AttackTimes.Run(capture);
    case ["floor", var capture]:
        return FloorLoop.Run(capture, withFlows: true);
    case ["decode-floor", var capture]:
        return FloorLoop.Run(capture, withFlows: false);
    case ["scale", var text] when int.TryParse(text, out var flows) && flows > 0:
        return FlowScale.Run(flows);
    case ["steady", var capture]:
        return SteadyState.Run(capture);
    case ["repeat", var capture, var times] when int.TryParse(times, out var count) && count > 0:
        return Repeater.Run(capture, count);
    case ["packetdotnet", var capture]:
        return PacketDotNetLoop.Run(capture);
    case ["readers", var capture]:
        return Readers.Run(capture);
    case ["trees", var text] when int.TryParse(text, out var rows) && rows > 0:
        return TreeScoring.Run(rows);
    case [] or [['-', ..], ..] when !args.Contains("--help") && !args.Contains("-h"):
        // In process: a project generated elsewhere would not see the repository's build files.
        var job = Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance);
        var config = DefaultConfig.Instance.AddJob(job).AddDiagnoser(MemoryDiagnoser.Default);
        BenchmarkSwitcher.FromAssembly(typeof(AllocationGate).Assembly).Run(args.Length == 0 ? ["--filter", "*"] : args, config);
        return 0;
    default:
        Console.Error.WriteLine(Usage);
        return 2;
}
