"""`oversight policy`: the policy documents that are laid in, and whether the clauses' quotations stand in them."""

from __future__ import annotations

import argparse

from oversight.cli import add_data_argument
from oversight.editions.edition import open_edition
from oversight.policies.laid_in import Named, Texts, laid_in
from oversight.policies.reading import Unreadable
from oversight.settings import DataFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--data`."""
    add_data_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Print each document with its file; 1 where a file cannot be used or a quotation is not in it."""
    folder = DataFolder.at(args.data)
    with open_edition(folder) as connection:
        documents = [
            Named(number, title, named or "")
            for number, title, named in connection.execute(
                "select document_id, document_title, document_no from policy_documents order by document_id"
            ).fetchall()
        ]
        quoted: dict[str, list[tuple[str, str]]] = {}
        for document, rule, quotation in connection.execute(
            "select document_id, standard_id, quotation from standards where quotation is not null order by standard_id"
        ).fetchall():
            quoted.setdefault(document, []).append((rule, quotation))
    found = laid_in(folder, documents)
    texts = Texts(folder)
    faults = 0
    for document in documents:
        print(f"{document.document_id} 《{document.title}》{document.number}")
        path = found.files.get(document.document_id)
        if path is None:
            print(f"    未放入。请把原文放进 {folder.policy}，文件名以 {document.document_id} 开头")
            continue
        try:
            text = texts.of(path)
        except Unreadable as error:
            faults += 1
            print(f"    {path.name}：{error}")
            continue
        own = quoted.get(document.document_id, [])
        places = {rule: text.find(quotation) for rule, quotation in own}
        whole = sum(place is not None and place.is_whole for place in places.values())
        print(f"    {path.name}：{len(text.paragraphs)} 段，{len(own)} 条引文找到 {whole} 条")
        for rule, place in places.items():
            if place is None or not place.is_whole:
                faults += 1
                print(f"    ✗ {rule}：" + ("没有找到引文" if place is None else "只找到引文的一部分"))
    for paths, told in (
        (found.unknown, "认不出是哪一份文件，文件名请以编号开头"),
        (found.besides, "重复放入，没有用到"),
    ):
        for path in paths:
            faults += 1
            print(f"✗ {path.name}：{told}")
    return 1 if faults else 0
