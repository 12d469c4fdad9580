"""For notebooks: `%load_ext oversight.notebook` opens the current edition and adds the cell magic `%%sql`.

`%%sql` shows the result; `%%sql name` keeps it under that name as a polars frame as well. Charts look as those of the
dashboard do, `say` writes a finding in words, and `show` makes a figure's text. Which data folder is read says the
environment variable OVERSIGHT_DATA; the project's own `data/` otherwise.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from oversight import presentation
from oversight.dashboard import theme
from oversight.dictionary import CHINESE_SCHEMA
from oversight.editions import find_edition, open_edition
from oversight.sandbox.messages import explain
from oversight.sandbox.statement import told
from oversight.settings import DataFolder

if TYPE_CHECKING:
    import duckdb
    import polars as pl


class Notebook:
    """The edition a notebook reads."""

    def __init__(self) -> None:
        folder = DataFolder.at(os.environ.get("OVERSIGHT_DATA"))
        self.edition = find_edition(folder)
        self._connection: duckdb.DuckDBPyConnection = open_edition(folder, self.edition.edition_id)
        place = self._connection.execute("select current_database()").fetchall()[0][0]
        self._connection.execute(f"set search_path = '{place}.main,{place}.{CHINESE_SCHEMA}'")
        self._connection.execute("set errors_as_json = true")

    def query(self, sql: str, **parameters: Any) -> pl.DataFrame:
        """The result of a query; `$name` in it is the parameter of that name."""
        cursor = self._connection.cursor()
        place = self._connection.execute("select current_setting('search_path')").fetchall()[0][0]
        cursor.execute(f"set search_path = '{place}'")
        try:
            frame: pl.DataFrame = cursor.sql(sql, params=parameters or None).pl()
            return frame
        except Exception as error:
            if type(error).__module__.startswith(("_duckdb", "duckdb")):
                raise explain(sql, told(error)) from None
            raise
        finally:
            cursor.close()


def _draw_offline() -> None:
    """Charts with what is installed alone; Plotly's own way asks the internet for formulas nobody writes."""
    import plotly.io

    def html(figure: dict[str, Any]) -> dict[str, str]:
        text = plotly.io.to_html(
            figure,
            config={"displaylogo": False},
            include_plotlyjs=False,
            include_mathjax=False,
            full_html=False,
            default_height=480,
            validate=False,
        )
        return {"text/html": text}

    renderer = plotly.io.base_renderers.NotebookRenderer()
    renderer.to_mimebundle = html
    plotly.io.renderers["offline"] = renderer
    plotly.io.renderers.default = "offline"


def _draw_as_the_house() -> None:
    """The dashboard's font, colours and axes for every chart that says nothing else, on white as on paper."""
    import plotly.graph_objects as go
    import plotly.io

    colours = theme.LIGHT
    layout = theme.layout(
        "light",
        xaxis=theme.axis("light", fixedrange=False),
        yaxis=theme.axis("light", fixedrange=False),
        margin={"l": 8, "r": 16, "t": 72, "b": 8},
        paper_bgcolor=colours.surface,
        plot_bgcolor=colours.surface,
        title={"x": 0, "xref": "paper", "font": {"size": 15}},
        colorway=[
            colours.allocated,
            colours.shortfall,
            colours.disbursed,
            colours.spent,
            colours.guaranteed,
            colours.shortfall_soft,
        ],
    )
    plotly.io.templates["house"] = go.layout.Template(layout=layout)
    plotly.io.templates.default = "house"


def say(text: str) -> None:
    """A finding in words, as Markdown under the cell."""
    from IPython.display import Markdown, display

    display(Markdown(text))  # type: ignore[no-untyped-call]


def load_ipython_extension(shell: Any) -> None:
    """Add `%%sql`, `edition`, `query`, `say` and `show` to the notebook; charts are drawn without the internet."""
    _draw_offline()
    _draw_as_the_house()
    notebook = Notebook()
    shell.push({"edition": notebook.edition, "query": notebook.query, "say": say, "show": presentation})

    def sql(line: str, cell: str) -> Any:
        frame = notebook.query(cell)
        if line.strip():
            shell.push({line.strip(): frame})
        return frame

    shell.register_magic_function(sql, "cell", "sql")
    first, last = notebook.edition.months or (None, None)
    print(
        f"已打开版本 {notebook.edition.edition_id}，月份 {first:%Y-%m} 至 {last:%Y-%m}"
        if first
        else "这一版没有数据"
    )
