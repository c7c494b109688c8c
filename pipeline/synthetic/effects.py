"""The effects planted in the demo cohort, as constants with their origin.

Every variable that answers to therapy is driven by one standard normal latent response ``r`` of
the patient plus noise of its own:

    z_v = loading_v * r + sqrt(1 - loading_v ** 2) * e_v,    e_v ~ N(0, 1) independent

so that each z_v is again standard normal and two variables correlate as the product of their
loadings. Where no tumour lives at pathology, markers and image necrosis shift further, because
nothing is left that secretes or enhances.

The constants of :class:`Effects` were fitted offline with the functions of this package on 40,000
patients: damped Gauss-Newton on the errors in units of their sampling error at 4,000 patients.
The achieved figures below are means over 14 cohorts of 4,000.

Definitions: depth is the loss of viable diameter; radiologic complete response (rCR) is depth 1;
clinical complete response (cCR) is rCR with AFP <= 20 ng/mL and PIVKA-II <= 40 mAU/mL at preop;
the combined score is a logistic regression on loss of enhanced area and ln(AFP ratio), with
PIVKA-II in its place where AFP was normal at baseline.

=============================================  ========  ========  ========
figure                                         target    achieved  publ.
=============================================  ========  ========  ========
pCR                                            .30       .30       .20-.39
rCR; its PPV for pCR                           .16; .46  .16; .46  -; .41
cCR; its PPV for pCR                           .05; .72  .05; .73  -; .71
depth >= 30 % (mRECIST objective response)     .76       .77       .77
total diameter -30 % (RECIST)                  .43       .43       .42
AUC of depth                                   .79       .78       .73
enhanced area -80 %: sensitivity; specificity  .51; .83  .52; .84  .67; .85
AUC of ln(AFP ratio), AFP > 20 at baseline     .85       .85       -
AUC of the combined score; AFP > 20            .88; .90  .88; .89  -; .93
its sensitivity at specificity .95             .45       .45       -
AUC of total shrinkage                         .73       .73       -
=============================================  ========  ========  ========

``tests/statistics/test_synthetic_cohort.py`` holds the cohort to the targets. They lie near
published series, which differ in definitions and are small: radiographic and AFP response (n = 35,
BMC Cancer 2023;23:416, PMID 37158833), rCR (n = 75, Int J Surg 2024, doi
10.1097/js9.0000000000001155), cCR (n = 62), objective response (n = 26). The AUC of total
shrinkage is an assumption: less than depth. Synthetic, not evidence: agreement with published
figures is put in, not found.
"""

from dataclasses import dataclass

PCR_SHARE = 0.30
"""Share of pathological complete responses; 19.5-39.1 % are published."""

AFP_UPPER_NORMAL_NG_ML = 20.0
"""At or below this a baseline AFP cannot show a response; at preop it counts as normal."""

PIVKA_UPPER_NORMAL_MAU_ML = 40.0
"""Upper limit of normal of PIVKA-II."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """Fitted constants of the latent-response model; logarithms are natural.

    Parameters
    ----------
    pathology_loading : float
        On the latent response: histological necrosis.
    necrosis_loading, shrinkage_loading : float
        Loss of enhancement within the tumour, and shrinkage of the whole tumour, on images.
    afp_loading, pivka_loading : float
        Decline of each marker.
    number_loading, regimen_loading, arterial_loading : float
        Weak baseline signals: fewer tumours, stronger regimen, brighter arterial enhancement.
    masked_share : float
        Share of patients whose tumour loses all enhancement without dying (anti-angiogenic
        drugs): the imaging overcalls that hold down the PPV of radiologic complete response.
    complete_above : float
        z of image necrosis above which no enhancing tumour is left.
    shrinkage_mean, shrinkage_sd : float
        Of ln(total diameter at baseline / preop).
    necrosis_log_mean, necrosis_log_sd : float
        Lognormal of ln(viable share of diameter at baseline / preop), beyond total shrinkage.
    afp_decline_mean, afp_decline_sd : float
        Of ln(secreted AFP at baseline / preop), where the baseline is elevated.
    pivka_decline_mean, pivka_decline_sd : float
        The same of PIVKA-II.
    pcr_marker_drop : float
        Further decline of both, on the same scale, where no living tumour is left to secrete.
    pcr_necrosis_shift : float
        Added to z of image necrosis where no living tumour is left.
    pathology_location, pathology_slope : float
        Percent necrosis without pCR is 100 * logistic(location + slope * z): quartiles 52 and 100
        over all patients.
    """

    pathology_loading: float = 0.904
    necrosis_loading: float = 0.792
    shrinkage_loading: float = 0.543
    afp_loading: float = 0.254
    pivka_loading: float = 0.185
    number_loading: float = 0.2
    regimen_loading: float = 0.2
    arterial_loading: float = 0.3
    masked_share: float = 0.123
    complete_above: float = 1.91
    shrinkage_mean: float = 0.325
    shrinkage_sd: float = 0.184
    necrosis_log_mean: float = -1.80
    necrosis_log_sd: float = 0.658
    afp_decline_mean: float = 2.504
    afp_decline_sd: float = 1.583
    pivka_decline_mean: float = 3.0
    pivka_decline_sd: float = 1.935
    pcr_marker_drop: float = 2.094
    pcr_necrosis_shift: float = 0.219
    pathology_location: float = 2.0
    pathology_slope: float = 2.85


PLANTED = Effects()
"""The effects of the demo cohort."""
