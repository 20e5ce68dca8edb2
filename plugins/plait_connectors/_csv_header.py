"""Say what stands in the first line of a CSV file that has none of the columns that a spec takes from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plait.plugin import form_of, looks_like_value, no_such_field

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plait.plugin import BadRecord
    from plait_connectors._csv_options import CsvOptions

DELIMITERS = {";": ";", "\t": "\\t", "|": "|", ",": ","}  # each as YAML has it within double quotes


def absent(data: bytes, names: Sequence[str], options: CsvOptions, wanted: Sequence[str]) -> BadRecord:
    """The bad record of a file whose header are these names, none of which is wanted."""
    return no_such_field(names, wanted, of_header=True, help=_cure(data, names, options, wanted))


def _cure(data: bytes, names: Sequence[str], options: CsvOptions, wanted: Sequence[str]) -> str | None:
    form = form_of(data)
    if form:
        return f"it is {form.message}: {form.help}"
    if names[0].startswith("sep="):
        return f"write `skip: {options.skip + 1}`: the first line is one for Excel"
    second = data.partition(b"\n")[2].partition(b"\n")[0].decode("utf-8", "replace").rstrip("\r")
    if not options.header and {*wanted} & {*second.split(options.delimiter)}:
        return f"write `skip: {options.skip + 1}`: its second line is the header"
    for other in (other for other in DELIMITERS if other != options.delimiter and len(names) == 1):
        if other in names[0]:
            return f'write `delimiter: "{DELIMITERS[other]}"`, if that stands between its fields'
    if options.header:
        return None
    columns = ", ".join(wanted) if len(names) == len(wanted) else "the name of each column, …"
    cure = "" if any(map(looks_like_value, names)) else "take a column that is there by `from: …`, or "
    return f"{cure}if it has no header, write `header: [{columns}]`"
