// Retrains the flow model with a pipeline of one's own, and writes what a sensor takes by --model:
//     iotguard analyze CAPTURE --flows flows.csv
//     dotnet run --project docs/samples/RetrainWithMLNet -- flows.csv model.onnx
//     iotguard analyze OTHER --site DIR --model model.onnx        (or model.zip: ML.NET scores then)
using IoTGuard.Analysis.Features;
using IoTGuard.Learning;
using IoTGuard.Learning.Training;
using IoTGuard.MLNet;
using Microsoft.ML;
using Microsoft.ML.Data;

// The features are neighbours in the table: identity before them, a label behind them, if there is one.
string[] names = [.. FlowFeatures.Schema.Columns.Select(column => column.Name)], units = [.. FlowFeatures.Schema.Columns.Select(column => column.Unit)];
using var file = File.OpenRead(args[0]);
var rows = FeatureCsv.Read(file, names);
var taught = rows.RowCount * 2 / 3; // in order of time: the last third is held out
var first = Array.IndexOf(File.ReadLines(args[0]).First().Split(','), names[0]);

var ml = new MLContext(seed: 1);
var table = ml.Data.LoadFromTextFile(args[0], [new TextLoader.Column("Features", DataKind.Single, first, first + names.Length - 1)], ',', hasHeader: true);
var model = ml.Transforms.ReplaceMissingValues("Features")
    .Append(ml.Transforms.NormalizeMeanVariance("Features", fixZero: false))
    .Append(ml.Clustering.Trainers.KMeans("Features", numberOfClusters: 8))
    .Fit(ml.Data.TakeRows(table, taught));

var (training, heldOut) = (rows.SelectRows([.. Enumerable.Range(0, taught)]), rows.SelectRows([.. Enumerable.Range(taught, rows.RowCount - taught)]));
var schema = new TrainingSchema(FlowFeatures.Schema.Hash, units, Path.GetFileName(args[0]), "RetrainWithMLNet");
Deployment.Save(ml, model, training, heldOut, schema, args[1]);
Console.WriteLine($"{args[1]}: k-means of {names.Length} features, trained on {taught} flows, calibrated on {rows.RowCount - taught}");
