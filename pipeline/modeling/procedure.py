"""The whole training procedure as one estimator, so that no step can see the tested patients."""

from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from pipeline.config.train import LOGISTIC, TrainConfig
from pipeline.modeling.candidates import build_candidate
from pipeline.modeling.candidates.average import Average
from pipeline.modeling.estimators import Groups, Labels, Matrix
from pipeline.modeling.preprocessing.informative_columns import InformativeColumns
from pipeline.modeling.preprocessing.median_imputer import MedianImputer
from pipeline.modeling.preprocessing.near_duplicates import NearDuplicateFilter
from pipeline.modeling.preprocessing.winsoriser import Winsoriser


def build_procedure(candidate: str, config: TrainConfig) -> Pipeline:
    """Chain the preprocessing and a candidate.

    Informative columns, medians and missing indicators, z-scores, winsorising, near-duplicate
    filter, model. Trees do not need the scaling and do not mind it. A comparator's few columns
    are neither winsorised nor filtered.

    Tuning inside the model sees columns that were prepared on the whole training part. That
    preparation does not look at the outcome, and only the choice of a penalty rests on it; the
    outer folds, which are reported, refit every step.
    """
    settings = config.preprocessing
    steps = [
        ("informative", InformativeColumns()),
        ("imputer", MedianImputer(settings.indicator_share)),
        ("scaler", StandardScaler()),
    ]
    if candidate != LOGISTIC:
        steps += [
            ("winsoriser", Winsoriser(settings.winsorise_at)),
            ("near_duplicates", NearDuplicateFilter(settings.correlation_limit)),
        ]
    return Pipeline([*steps, ("model", build_candidate(candidate, config))])


def fit_procedure(procedure: Pipeline, X: Matrix, y: Labels, groups: Groups = None) -> Pipeline:
    """Fit in place, on one thread: sums of several differ in their last bits.

    Parameters
    ----------
    X : numpy.ndarray, shape (patients, features)
        NaN where missing.
    y : numpy.ndarray of {0, 1}, shape (patients,)
        Outcomes.
    groups : numpy.ndarray or None
        Units that inner folds must not split.

    Raises
    ------
    ModelingError
        If no column varies.
    """
    with threadpool_limits(limits=1):
        return procedure.fit(X, y, model__groups=groups)


def predict_by_candidate(procedure: Pipeline, X: Matrix, name: str) -> dict[str, Matrix]:
    """Return the probabilities of the positive class, of an average also those of its members.

    Parameters
    ----------
    procedure : sklearn.pipeline.Pipeline
        Fitted.
    X : numpy.ndarray, shape (patients, features)
        NaN where missing.
    name : str
        The candidate's name.

    Returns
    -------
    dict of str to numpy.ndarray, shape (patients,)
        By candidate.
    """
    with threadpool_limits(limits=1):
        prepared, model = procedure[:-1].transform(X), procedure[-1]
        members = model.predict_each(prepared) if isinstance(model, Average) else {}
        return {**members, name: model.predict_proba(prepared)[:, 1]}
