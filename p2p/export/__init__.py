"""Export: a notebook as version N of a pipeline, proven to give the notebook's own results."""

from p2p.export.manifests import file_digests
from p2p.export.options import TOLERANCE, ExportOptions
from p2p.export.story import Export, export_notebook
from p2p.export.verify import Comparison

__all__ = ["TOLERANCE", "Comparison", "Export", "ExportOptions", "export_notebook", "file_digests"]
