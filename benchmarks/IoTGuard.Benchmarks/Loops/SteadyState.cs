using System.Globalization;
using IoTGuard.Analysis.Features;
using IoTGuard.Outputs;
using IoTGuard.Outputs.Delivery;
using IoTGuard.Outputs.Tables;
using IoTGuard.Pipeline;

namespace IoTGuard.Benchmarks.Loops;

/// <summary>
/// The whole program in this process over one capture, with alerts, flows and transactions to files: what is allocated on all threads while it reads the
/// second half of the file.
/// </summary>
internal static class SteadyState
{
    public static int Run(string path)
    {
        var folder = Directory.CreateTempSubdirectory("iotguard-benchmark");
        try
        {
            string File(string name) => Path.Combine(folder.FullName, name);
            using var setup = RunSetup.ForCaptures([path], CaptureLibrary.BuiltIn, siteFolder: null, model: null, workers: 1, vlanAware: false);
            using var outputs = new RunOutputs(File("alerts"), new FeatureTables(new FeatureTableOptions(File("flows"), null, DeviceWindow.DefaultSeconds, null)), File("transactions"), setup.WithPseudonyms, AlertOutputs.ForCaptures([]));
            var run = new AnalysisRun(setup, outputs);
            var events = new CountingConsumer(run);
            long packets = 0, halfPackets = 0, halfBytes = 0, halfEvents = 0;
            var collections = 0;
            new FilePipeline(setup.Source, setup.Sensors, setup.Router, events).Run(
                batch =>
                {
                    packets += batch.Count;
                    if (halfPackets == 0 && setup.Source.Progress >= 0.5)
                    {
                        (halfPackets, halfEvents) = (packets, events.Count);
                        halfBytes = GC.GetTotalAllocatedBytes(precise: true);
                        collections = GC.CollectionCount(0);
                    }
                },
                CancellationToken.None);
            var bytes = GC.GetTotalAllocatedBytes(precise: true) - halfBytes;
            var rest = packets - halfPackets;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"second half: packets={rest} events={events.Count - halfEvents} allocated={bytes} bytes_per_packet={bytes / (double)rest:F3} collections={GC.CollectionCount(0) - collections}"));
            return 0;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private sealed class CountingConsumer(IEventConsumer next) : IEventConsumer
    {
        public long Count { get; private set; }

        public void OnEvent(Analysis.EventBatch batch, in Analysis.SensorEvent e)
        {
            Count++;
            next.OnEvent(batch, e);
        }

        public void OnClock(long clockNs) => next.OnClock(clockNs);
    }
}
