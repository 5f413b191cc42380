"""Independent answers for the tests of IoTGuard.Learning, from scikit-learn and python3-onnx.

  oracle.py evaluate MODEL.onnx ROWS.csv SCORES.csv
      checks the model with onnx.checker; scores the rows with onnxruntime, else with onnx.reference, where they are
      installed, else by the walk below over the parsed file
  oracle.py check MODEL.onnx ...
      checks models with onnx.checker, types and shapes included
  oracle.py sklearn SEEDS TABLE ...
      per table and seed: AUROC, average precision, processor seconds to train and to score; trained on TABLE.train.csv,
      tested on TABLE.test.csv with TABLE.labels.csv
  oracle.py detectors SEEDS TABLE ...
      the same tables: engine, table, AUROC, average precision of the counterparts of our engines, one line per seed
  oracle.py pipeline KIND NORMAL TRAIN.csv MODEL.onnx ROWS.csv SCORES.csv
      StandardScaler and a model, learned from rows of which the first NORMAL are class 0, as the graph that skl2onnx makes; and its scores
  oracle.py export TRAIN.csv MODEL.onnx ROWS.csv SCORES.csv
      a scikit-learn forest as ONNX, and its own scores of the rows
"""
import sys
import time

import numpy as np

PCA_VARIANCE = 0.5


def read(path):
    return np.loadtxt(path, delimiter=",", skiprows=1, dtype=np.float32, ndmin=2)


def write(path, scores):
    with open(path, "w") as out:
        out.write("score\n")
        out.writelines(f"{float(np.float32(s)):.9g}\n" for s in scores)


def tree_sums(node, rows):
    """TreeEnsembleRegressor with BRANCH_LEQ and SUM, as the operator's text has it."""
    a = {x.name: x for x in node.attribute}
    trees, nodes = a["nodes_treeids"].ints, a["nodes_nodeids"].ints
    features, values = a["nodes_featureids"].ints, a["nodes_values"].floats
    modes = [m.decode() for m in a["nodes_modes"].strings]
    assert set(modes) <= {"LEAF", "BRANCH_LEQ"}, set(modes)
    index = {(t, n): i for i, (t, n) in enumerate(zip(trees, nodes))}
    true = [index[t, n] if m != "LEAF" else -1 for t, n, m in zip(trees, a["nodes_truenodeids"].ints, modes)]
    false = [index[t, n] if m != "LEAF" else -1 for t, n, m in zip(trees, a["nodes_falsenodeids"].ints, modes)]
    weights = {(t, n): w for t, n, w in zip(a["target_treeids"].ints, a["target_nodeids"].ints, a["target_weights"].floats)}
    roots = sorted({i for i in range(len(modes))} - set(true) - set(false))
    sums = []
    for row in rows:
        total = np.float64(0)
        for at in roots:
            while modes[at] != "LEAF":
                at = true[at] if row[features[at]] <= np.float32(values[at]) else false[at]
            total += weights.get((trees[at], nodes[at]), 0)
        sums.append([np.float32(total)])
    return np.array(sums, dtype=np.float32)


def run(model, rows):
    name = model.graph.input[0].name
    try:
        import onnxruntime

        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        return "onnxruntime", session.run(None, {name: rows})[0]
    except ImportError:
        pass
    try:
        from onnx.reference import ReferenceEvaluator

        return "onnx.reference", ReferenceEvaluator(model).run(None, {name: rows})[0]
    except ImportError:
        pass
    from onnx import numpy_helper

    known = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
    known[name] = rows
    simple = {"Mul": np.multiply, "Exp": np.exp}
    for node in model.graph.node:
        if node.op_type == "TreeEnsembleRegressor":
            known[node.output[0]] = tree_sums(node, rows)
        else:
            known[node.output[0]] = simple[node.op_type](*[known[i] for i in node.input])
    return "walk", known[model.graph.output[0].name]


def evaluate(model_path, rows_path, scores_path):
    import onnx

    model = onnx.load(model_path)
    onnx.checker.check_model(model, full_check=True)
    rows = read(rows_path)
    how, scores = run(model, rows)
    assert scores.shape == (len(rows), 1), scores.shape
    write(scores_path, scores[:, 0])
    print(how, onnx.__version__, sorted(p.key for p in model.metadata_props))


def compare(seeds, *tables):
    from sklearn.ensemble import IsolationForest
    from sklearn.metrics import average_precision_score, roc_auc_score

    for table in tables:
        train, test, labels = (read(f"{table}.{part}.csv") for part in ("train", "test", "labels"))
        for seed in range(int(seeds)):
            forest = IsolationForest(n_estimators=100, max_samples=256, random_state=seed, n_jobs=1)
            start = time.process_time()
            forest.fit(train)
            fitted = time.process_time()
            scores = -forest.score_samples(test)
            done = time.process_time()
            print(roc_auc_score(labels[:, 0], scores), average_precision_score(labels[:, 0], scores), fitted - start, done - fitted)


def detectors(seeds, *tables):
    from sklearn.decomposition import PCA
    from sklearn.ensemble import HistGradientBoostingClassifier, IsolationForest
    from sklearn.metrics import average_precision_score, roc_auc_score
    from sklearn.preprocessing import StandardScaler

    def say(engine, table, labels, scores):
        print(engine, table, roc_auc_score(labels, scores), average_precision_score(labels, scores))

    for table in tables:
        train, test, labels = (read(f"{table}.{part}.csv") for part in ("train", "test", "labels"))
        labels = labels[:, 0]
        for seed in range(int(seeds)):
            forest = IsolationForest(n_estimators=100, max_samples=256, random_state=seed, n_jobs=1).fit(train)
            say("iforest", table, labels, -forest.score_samples(test))
        scaler = StandardScaler().fit(train)
        pca = PCA(n_components=PCA_VARIANCE, svd_solver="full").fit(scaler.transform(train))
        z = scaler.transform(test)
        say("pca", table, labels, ((z - pca.inverse_transform(pca.transform(z))) ** 2).sum(axis=1))

        # The same split as Table.WithLabels.
        anomalies = np.flatnonzero(labels == 1)
        learned = np.zeros(len(labels), dtype=bool)
        learned[anomalies[::2]] = True
        x = np.vstack([train, test[learned]])
        y = np.concatenate([np.zeros(len(train)), np.ones(learned.sum())])
        for seed in range(int(seeds)):
            trees = HistGradientBoostingClassifier(max_iter=100, learning_rate=0.1, max_depth=5, early_stopping=False, random_state=seed).fit(x, y)
            say("gbt", table, labels[~learned], trees.decision_function(test[~learned]))


def export(train_path, model_path, rows_path, scores_path):
    from onnx import TensorProto, helper, save
    from sklearn.ensemble import IsolationForest
    from sklearn.ensemble._iforest import _average_path_length

    train = read(train_path)
    forest = IsolationForest(n_estimators=50, max_samples=128, random_state=3).fit(train)
    attributes = {k: [] for k in (
        "nodes_treeids nodes_nodeids nodes_featureids nodes_values nodes_modes nodes_truenodeids nodes_falsenodeids nodes_hitrates "
        "target_treeids target_nodeids target_ids target_weights").split()}

    def add(**values):
        for key, value in values.items():
            attributes[key].append(value)

    for number, estimator in enumerate(forest.estimators_):
        tree = estimator.tree_
        depth = np.zeros(tree.node_count)
        for i in range(tree.node_count):
            leaf = tree.children_left[i] < 0
            # scikit-learn compares float32 values with double thresholds: the float32 at or below decides the same.
            limit = np.float32(tree.threshold[i])
            if limit > tree.threshold[i]:
                limit = np.nextafter(limit, np.float32(-np.inf))
            add(nodes_treeids=number, nodes_nodeids=i, nodes_featureids=0 if leaf else tree.feature[i], nodes_values=0.0 if leaf else float(limit),
                nodes_modes="LEAF" if leaf else "BRANCH_LEQ", nodes_truenodeids=0 if leaf else tree.children_left[i],
                nodes_falsenodeids=0 if leaf else tree.children_right[i], nodes_hitrates=float(tree.n_node_samples[i]))
            if leaf:
                add(target_treeids=number, target_nodeids=i, target_ids=0,
                    target_weights=float(depth[i] + _average_path_length(tree.n_node_samples[i:i + 1])[0]))
            else:
                depth[tree.children_left[i]] = depth[tree.children_right[i]] = depth[i] + 1
    normaliser = 50 * _average_path_length(np.array([forest.max_samples_]))[0]
    graph = helper.make_graph(
        [
            helper.make_node("TreeEnsembleRegressor", ["x"], ["sum"], domain="ai.onnx.ml", n_targets=1, **attributes),
            helper.make_node("Neg", ["sum"], ["minus"]),
            helper.make_node("Div", ["minus", "normaliser"], ["exponent"]),
            helper.make_node("Pow", ["two", "exponent"], ["score"]),
        ],
        "sklearn",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", train.shape[1]])],
        [helper.make_tensor_value_info("score", TensorProto.FLOAT, ["N", 1])],
        [helper.make_tensor("normaliser", TensorProto.FLOAT, [1], [normaliser]),
         helper.make_tensor("two", TensorProto.FLOAT, [1], np.array([2], dtype=np.float32).tobytes(), raw=True)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13), helper.make_opsetid("ai.onnx.ml", 3)])
    helper.set_model_props(model, {"iotguard.schema_hash": "elsewhere", "iotguard.path_normaliser": repr(float(normaliser))})
    save(model, model_path)
    write(scores_path, -forest.score_samples(read(rows_path)))


def tree_attributes(trees, prefix, weights_of):
    """The attributes of a tree ensemble as skl2onnx writes them: weights_of(tree, node) gives (target, weight) pairs of a leaf."""
    a = {k: [] for k in (
        "nodes_treeids nodes_nodeids nodes_featureids nodes_values nodes_modes nodes_truenodeids nodes_falsenodeids nodes_hitrates "
        "nodes_missing_value_tracks_true").split()}
    a.update({f"{prefix}_{k}": [] for k in ("treeids", "nodeids", "ids", "weights")})
    for number, tree in enumerate(trees):
        for i in range(tree.node_count):
            leaf = tree.children_left[i] < 0
            limit = np.float32(tree.threshold[i])
            if limit > tree.threshold[i]:
                limit = np.nextafter(limit, np.float32(-np.inf))
            for key, value in zip(list(a)[:9], (number, i, 0 if leaf else int(tree.feature[i]), 0.0 if leaf else float(limit), "LEAF" if leaf else "BRANCH_LEQ",
                                               0 if leaf else int(tree.children_left[i]), 0 if leaf else int(tree.children_right[i]), 1.0, 0)):
                a[key].append(value)
            if leaf:
                for target, weight in weights_of(tree, i):
                    for key, value in zip((f"{prefix}_{k}" for k in ("treeids", "nodeids", "ids", "weights")), (number, i, target, float(weight))):
                        a[key].append(value)
    return a


def pipeline(kind, normal, train_path, model_path, rows_path, scores_path):
    """StandardScaler and a model, as the graph that skl2onnx makes of it; scores are those of scikit-learn."""
    from onnx import TensorProto, checker, helper, save
    from sklearn.ensemble import GradientBoostingClassifier, IsolationForest, RandomForestClassifier
    from sklearn.ensemble._iforest import _average_path_length
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    x, rows = read(train_path), read(rows_path)
    y = (np.arange(len(x)) >= int(normal)).astype(int)
    model = make_pipeline(StandardScaler(), {
        "logistic": LogisticRegression(), "random-forest": RandomForestClassifier(30, max_depth=12, random_state=1),
        "isolation-forest": IsolationForest(n_estimators=20, random_state=1), "gradient-boosting": GradientBoostingClassifier(n_estimators=30, random_state=1)}[kind])
    model.fit(x, y)
    scaler, last = model[0], model[1]
    ml = dict(domain="ai.onnx.ml")
    nodes = [helper.make_node("Scaler", ["X"], ["variable"], offset=scaler.mean_.astype(np.float32), scale=(1 / scaler.scale_).astype(np.float32), **ml)]
    initializers = []

    def constant(name, values, kind=TensorProto.FLOAT):
        initializers.append(helper.make_tensor(name, kind, [len(values)], values))
        return name

    outputs = [helper.make_tensor_value_info("output_label", TensorProto.INT64, ["N"])]
    if kind == "isolation-forest":
        depths = []
        for t, tree in enumerate(e.tree_ for e in last.estimators_):
            nodes.append(helper.make_node("Gather", ["variable", constant(f"features_{t}", list(range(x.shape[1])), TensorProto.INT64)], [f"x_{t}"], axis=1))
            nodes.append(helper.make_node("TreeEnsembleRegressor", [f"x_{t}"], [f"leaf_{t}"], n_targets=1, post_transform="NONE",
                                          **tree_attributes([tree], "target", lambda _, i: [(0, i)]), **ml))
            nodes.append(helper.make_node("Cast", [f"leaf_{t}"], [f"id_{t}"], to=TensorProto.INT64))
            depth = {0: 1}
            for i in range(tree.node_count):
                if tree.children_left[i] >= 0:
                    depth[tree.children_left[i]] = depth[tree.children_right[i]] = depth[i] + 1
            leaves = [i for i in range(tree.node_count) if tree.children_left[i] < 0]
            for name, values in (("samples", [float(tree.n_node_samples[i]) for i in leaves]), ("length", [float(depth[i]) for i in leaves])):
                nodes.append(helper.make_node("LabelEncoder", [f"id_{t}"], [f"{name}of_{t}"], keys_int64s=leaves, values_floats=values, **ml))
                nodes.append(helper.make_node("Reshape", [f"{name}of_{t}", constant(f"{name}shape_{t}", [-1, 1], TensorProto.INT64)], [f"{name}_{t}"]))
            two, one, zero = constant(f"two_{t}", [2.0]), constant(f"one_{t}", [1.0]), constant(f"zero_{t}", [0.0])
            minus, gamma, minus2 = constant(f"minus_{t}", [-1.0]), constant(f"gamma_{t}", [np.euler_gamma]), constant(f"minus2_{t}", [-2.0])
            for op, inputs, output in (
                ("Equal", [f"samples_{t}", two], f"is2_{t}"), ("Cast", [f"is2_{t}"], f"eq2_{t}"), ("Greater", [f"samples_{t}", two], f"isplus_{t}"), ("Cast", [f"isplus_{t}"], f"plus_{t}"),
                ("Mul", [f"plus_{t}", f"samples_{t}"], f"n_{t}"), ("Add", [f"n_{t}", minus], f"n1_{t}"), ("Max", [f"n1_{t}", one], f"m1_{t}"), ("Log", [f"m1_{t}"], f"log_{t}"),
                ("Add", [f"log_{t}", gamma], f"h_{t}"), ("Mul", [f"h_{t}", two], f"h2_{t}"), ("Max", [f"n1_{t}", zero], f"m0_{t}"), ("Max", [f"n_{t}", one], f"nn_{t}"),
                ("Div", [f"m0_{t}", f"nn_{t}"], f"share_{t}"), ("Mul", [f"share_{t}", minus2], f"rest_{t}"), ("Add", [f"h2_{t}", f"rest_{t}"], f"c0_{t}"), ("Mul", [f"c0_{t}", f"plus_{t}"], f"c1_{t}"),
                ("Add", [f"eq2_{t}", f"c1_{t}"], f"c_{t}"), ("Add", [f"length_{t}", f"c_{t}"], f"d0_{t}"), ("Add", [f"d0_{t}", minus], f"d_{t}")):
                nodes.append(helper.make_node(op, inputs, [output], **({"to": TensorProto.FLOAT} if op == "Cast" else {})))
            depths.append(f"d_{t}")
        nodes += [
            helper.make_node("Sum", depths, ["sum"]),
            helper.make_node("Div", ["sum", constant("cst", [float(20 * _average_path_length([last.max_samples_])[0])])], ["depths"]),
            helper.make_node("Neg", ["depths"], ["minusdepths"]), helper.make_node("Pow", [constant("base", [2.0]), "minusdepths"], ["power"]),
            helper.make_node("Neg", ["power"], ["score_samples"]), helper.make_node("Add", ["score_samples", constant("offset", [-float(last.offset_)])], ["scores"]),
            helper.make_node("Less", ["scores", constant("nought", [0.0])], ["less"]), helper.make_node("Cast", ["less"], ["lessi"], to=TensorProto.INT64),
            helper.make_node("Mul", ["lessi", constant("mtwo", [-2], TensorProto.INT64)], ["times"]), helper.make_node("Add", ["times", constant("unit", [1], TensorProto.INT64)], ["output_label"]),
        ]
        outputs.append(helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", 1]))
        expected = -model.decision_function(rows)
    else:
        if kind == "logistic":
            coefficients = np.concatenate([-last.coef_[0], last.coef_[0]]).astype(np.float32)
            nodes.append(helper.make_node("LinearClassifier", ["variable"], ["label", "probability_tensor"], classlabels_ints=[0, 1], coefficients=coefficients,
                                          intercepts=np.array([-last.intercept_[0], last.intercept_[0]], np.float32), multi_class=0, post_transform="LOGISTIC", **ml))
            nodes.append(helper.make_node("Normalizer", ["probability_tensor"], ["probabilities_tensor"], norm="L1", **ml))
        elif kind == "random-forest":
            trees = [e.tree_ for e in last.estimators_]
            weights = tree_attributes(trees, "class", lambda tree, i: [(c, v / tree.value[i][0].sum() / len(trees)) for c, v in enumerate(tree.value[i][0])])
            nodes.append(helper.make_node("TreeEnsembleClassifier", ["variable"], ["label", "probabilities_tensor"], classlabels_int64s=[0, 1], post_transform="NONE", **weights, **ml))
        else:
            prior = float(last.init_.class_prior_[1])
            weights = tree_attributes([e.tree_ for e in last.estimators_[:, 0]], "class", lambda tree, i: [(0, tree.value[i][0][0] * last.learning_rate)])
            nodes.append(helper.make_node("TreeEnsembleClassifier", ["variable"], ["label", "probabilities_tensor"], classlabels_int64s=[0, 1], post_transform="LOGISTIC",
                                          base_values=[float(np.log(prior / (1 - prior)))], **weights, **ml))
        nodes.append(helper.make_node("Cast", ["label"], ["output_label"], to=TensorProto.INT64))
        nodes.append(helper.make_node("ZipMap", ["probabilities_tensor"], ["output_probability"], classlabels_int64s=[0, 1], **ml))
        outputs.append(helper.make_value_info("output_probability", helper.make_sequence_type_proto(
            helper.make_map_type_proto(TensorProto.INT64, helper.make_tensor_type_proto(TensorProto.FLOAT, [])))) if hasattr(helper, "make_map_type_proto")
            else helper.make_tensor_value_info("output_probability", TensorProto.FLOAT, None))
        expected = model.predict_proba(rows)[:, 1]
    graph = helper.make_graph(nodes, "pipeline", [helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, x.shape[1]])], outputs, initializers)
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13), helper.make_opsetid("ai.onnx.ml", 2)], producer_name="skl2onnx")
    save(proto, model_path)
    write(scores_path, expected)


def check(*paths):
    import onnx

    for path in paths:
        onnx.checker.check_model(onnx.load(path), full_check=True)


{"check": check, "evaluate": evaluate, "pipeline": pipeline, "sklearn": compare, "detectors": detectors, "export": export}[sys.argv[1]](*sys.argv[2:])
