"""A statement as PDF: a page for an accountant, by days.

The fonts that every PDF reader has draw Latin-1 and nothing else, and none is shipped with Footlight. A name they lack
is not spelt differently: the page says so and gives the account's id, and the name stands exactly in the
document's properties and in the CSV. An operator may name a TrueType font, which then draws every name it has all the
characters of; scripts that need shaping stay with the properties, since half-drawn names are wrong names.
"""

import asyncio
import unicodedata
from datetime import datetime
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import TableBordersLayout

from payments.money import major_units
from payments.statement_words import words
from payments.statements import Amounts, Summary

BUILT_IN = "Helvetica"
OWN = "statement"
UNDRAWN = "(a name that this document cannot draw; see its properties, or the CSV)"
COLUMNS = ("Booked (UTC)", "What", "Count", "Earnings", "Held", "On the way")
WIDTHS = (22, 58, 14, 26, 22, 26)
AT_ONCE = 2  # pages are made by the processor: some 50 ms for an ordinary month

# Directions, and marks that change the letter before them: a plain row of glyphs gets them wrong.
SHAPED = ("R", "AL", "AN")
MARKS = ("Mn", "Mc", "Me", "Cf")


class StatementPages:
    """Makes PDFs, few at a time. `font`: a TrueType file for names, if the operator has one."""

    def __init__(self, font: Path | None = None) -> None:
        self._font = font
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def pdf(self, summary: Summary) -> bytes:
        async with self._turns:
            return await asyncio.to_thread(as_pdf, summary, self._font)


def as_pdf(summary: Summary, font: Path | None = None) -> bytes:
    """The same statement is the same bytes."""
    page, heading = _Page(format="A4"), summary.heading
    page.set_creation_date(heading.made_at)
    page.set_title(f"Statement {heading.month.name} {heading.currency.upper()}")
    page.set_author(heading.creator_name)
    page.set_creator("Footlight")
    page.add_page()
    _write_heading(page, summary, font)
    _write_days(page, summary)
    return bytes(page.output())


class _Page(FPDF):
    def footer(self) -> None:
        self.set_y(-15)
        self.set_font(BUILT_IN, size=8)
        self.cell(0, 10, f"Page {self.page_no()} of {{nb}}", align="C")


def _write_heading(page: _Page, summary: Summary, font: Path | None) -> None:
    heading = summary.heading
    page.set_font(BUILT_IN, size=18)
    _line(page, f"Statement {heading.month.name}, {heading.currency.upper()}", 12)
    page.set_font(BUILT_IN, size=10)
    _write_name(page, heading.creator_name, font)
    until = heading.month.ends if heading.final else heading.made_at
    _line(page, f"Account {heading.creator_id}")
    _line(page, f"Booked from {_time(heading.month.begins)} until {_time(until)}")
    _line(page, f"Made {_time(heading.made_at)}" + ("" if heading.final else ". The month is not over."))
    page.ln(4)


def _write_name(page: _Page, name: str, font: Path | None) -> None:
    if _is_latin(name):
        _line(page, name)
        return
    if font is not None:
        page.add_font(OWN, fname=font)
    if font is None or not _draws(page, OWN, name):
        _line(page, UNDRAWN)
        return
    page.set_font(OWN, size=10)
    _line(page, name)
    page.set_font(BUILT_IN, size=10)


def _draws(page: FPDF, family: str, text: str) -> bool:
    """Whether a TrueType font has every character, and each of them can stand by itself."""
    if any(unicodedata.bidirectional(one) in SHAPED or unicodedata.category(one) in MARKS for one in text):
        return False
    glyphs: dict[int, object] = getattr(page.fonts[family], "cmap", {})
    return all(ord(one) in glyphs for one in text)


def _is_latin(text: str) -> bool:
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True


def _line(page: _Page, text: str, height_mm: float = 6) -> None:
    page.cell(0, height_mm, text, new_x="LMARGIN", new_y="NEXT")


def _write_days(page: _Page, summary: Summary) -> None:
    currency = summary.heading.currency
    page.set_font(BUILT_IN, size=9)
    with page.table(
        col_widths=WIDTHS,
        text_align=("LEFT", "LEFT", "RIGHT", "RIGHT", "RIGHT", "RIGHT"),
        borders_layout=TableBordersLayout.HORIZONTAL_LINES,
    ) as table:
        table.row(COLUMNS)
        table.row(("", "Opening balance", "", *_units(summary.opening, currency)))
        for one in summary.days:
            what = words(one.kind, one.source)
            table.row((f"{one.day:%Y-%m-%d}", what, str(one.count), *_units(one.amounts, currency)))
        table.row(("", "Closing balance", "", *_units(summary.closing, currency)))
    page.ln(4)
    total = major_units(summary.closing.total_minor, currency)
    page.multi_cell(0, 5, f"Owed altogether: {total} {currency.upper()}. {LEGEND}")


LEGEND = (
    "Earnings are your part of what was sold, before tax, less what was given back. Held is what a bank has asked back "
    "until that is decided. On the way are payouts that were asked for and not sent yet; what was paid is no longer "
    "owed. Every single entry is in the CSV of the same month."
)


def _units(amounts: Amounts, currency: str) -> tuple[str, str, str]:
    owed, held, transit = amounts.owed_minor, amounts.held_minor, amounts.transit_minor
    return major_units(owed, currency), major_units(held, currency), major_units(transit, currency)


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
