"""Export: a notebook as version N of a pipeline, proven to give the notebook's own results."""

from p2p.export.story import Export, ExportOptions, export_notebook
from p2p.export.verify import Comparison
from p2p.export.work import file_digests

__all__ = ["Comparison", "Export", "ExportOptions", "export_notebook", "file_digests"]
