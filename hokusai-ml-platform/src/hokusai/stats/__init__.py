"""The statistics of a comparison: is the new model really better, and by how much?

Both models answer the same benchmark rows, so everything here is *paired*: what counts is how the two answers
to one row differ. An unpaired test on the same figures finds almost nothing.

    paired          start here: compare_classifiers, compare_regressors -> hokusai.domain.delta.Comparison
    classification  accuracy, precision, recall, F1, with the influence of each row on their change
    auroc           area under the ROC curve, exact, with DeLong's standard error
    regression      RMSE, MAE, R2, with the influence of each row
    composite       weights, and DeltaOne with one standard error for the weighted sum
    outcomes        any other number that each model gets in each row: amounts, ratings, scorers of one's own
    one_model       the same metrics of a single model, with errors and intervals
    calibration     whether probabilities mean what they say: reliability, ECE, the Brier score in its parts
    slices          parts of the rows by a column's values, and the worst of them
    clusters        rows that belong together: errors and tests by units
    bootstrap       intervals by resampling rows or units; cell_bootstrap: at once, for the joint table's metrics
    measured        one metric of two models with its influences: what the four files above exchange
    inputs          arrays, checked at the door
    wald            from a change and its standard error to an interval and a p-value
    from_counts     the same count metrics from the joint table alone, for a verifier: no numpy
    cell_influence  and their standard errors, by the jackknife: no numpy
    power           how many rows a gain needs, and the least gain that a benchmark finds: no numpy
    decide          whether an improvement counts, with every reason against it: no numpy
    mcnemar         McNemar's mid-p test: no numpy
    student_t       Student's t, for errors that rest on few observations: no numpy

And of what follows from it: who is credited, what is told, what is paid.

    allocation      start here: attribute -> hokusai.domain.attribution.Attribution
    coalitions      which coalitions of contributors are trained; Shapley values and the plainer rules
    payment         from values to whole basis points: no numpy
    ladder          what submitters are told of a benchmark that is used again and again
    settlement      what an epoch is paid, on a vault that is opened once: no numpy

Everything is a pure function: no clock, no files, and no randomness but from a seed that is given. This module
imports nothing, so that a verifier that reads `hokusai.stats.from_counts` needs the standard library only.
"""
