"""Import scans from elsewhere - a public collection, a DICOM tree - into a cohort folder.

An importer plans (:mod:`.plan`): which scans of which patient, with which regions; everything else
with the reason. The plan is then carried out the same way for all (:mod:`.cohort_folder`).
"""
