"""Keep ITK to one thread where its results depend on the number of threads."""

from collections.abc import Iterator
from contextlib import contextmanager

import SimpleITK as sitk


@contextmanager
def one_itk_thread() -> Iterator[None]:
    """Let every ITK filter made within use one thread.

    Registration and N4 add up in an order that follows the threads, so their last bits differ with
    the number of threads, and a filter's own setting does not reach the filters it makes itself.
    The setting is the process's: not for use in two Python threads at once.
    """
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)
