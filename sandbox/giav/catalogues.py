"""What a client reads at start-up: offices, payment methods, stages, custom fields, suppliers (contracts: giav 2.2, 2.7)."""

from __future__ import annotations

from sandbox.giav.books import Books, Call, Operation
from sandbox.giav.records import Record
from sandbox.giav.refusals import obligatory
from sandbox.giav.search import Filter, Filters, Predicate, contains, custom_data, one_of, passing, search, yes_no


def _offices(books: Books, call: Call) -> list[Record]:
    return search(books, "Oficina", OFFICE_FILTERS, call, modifiers=("busquedaExactaCodigo",))


def _payment_methods(books: Books, call: Call) -> list[Record]:
    wish = {**call, "habilitada": not call["incluirDeshabilitados"]}
    # The stand-in's methods belong to no office and to no client, so these two narrow nothing.
    modifiers = ("incluirDeshabilitados", "clientePertenece", "idOficina", "idcliente")
    return search(books, "FormaPago", METHOD_FILTERS, wish, modifiers)


def _stages(books: Books, call: Call) -> list[Record]:
    target = call.get("targetClass")
    return [each for each in books.records.all("EntityStage") if target in (None, each["ClassName"])]


def _custom_fields(books: Books, call: Call) -> list[Record]:
    return search(books, "CustomData", CUSTOM_FIELD_FILTERS, call)


def _new_custom_field(books: Books, call: Call) -> int:
    if not call.get("name"):
        raise obligatory("nombre del campo")
    return books.records.add(
        "CustomData",
        {
            "Name": call["name"],
            "Type": call["type"],
            "Hidden": call["hidden"],
            "Required": call["required"],
            "ComboBoxOptions": call.get("comboBoxOptions"),
            "targetClass": call.get("targetClass"),
        },
    )


def _suppliers(books: Books, call: Call) -> list[Record]:
    wish = {**call, "habilitado": not call["incluirDeshabilitados"]}
    return search(books, "Proveedor", SUPPLIER_FILTERS, wish, modifiers=("incluirDeshabilitados", "cifExacto"))


def _office_code(_: Books, call: Call, value: str) -> Predicate:
    exact = call["busquedaExactaCodigo"]
    return lambda office: office["Codigo"] == value if exact else value in office["Codigo"]


def _tax_id(_: Books, call: Call, value: str) -> Predicate:
    exact = call["cifExacto"]
    return lambda supplier: supplier["Cif"] == value if exact else value in supplier["Cif"]


OFFICE_FILTERS: Filters = {
    "idsOficina": one_of("Id"),
    "codigo": Filter(_office_code),
    "denominacion": contains("Denominacion"),
    "provincia": contains("Provincia"),
    "email": contains("Email"),
}
METHOD_FILTERS: Filters = {
    "idsFormasPago": one_of("Id"),
    "categoria": one_of("IdCategoria"),
    "ambito": one_of("Tipo"),
    "codigo": one_of("Codigo"),
    "nombre": contains("Nombre"),
    "admiteCobros": yes_no(lambda _, method: method["AdmiteCobros"]),
    "admiteReembolsos": yes_no(lambda _, method: method["AdmiteReembolsos"]),
    "arqueaCaja": yes_no(lambda _, method: bool(method.get("ArqueaCaja"))),
    "habilitada": yes_no(lambda _, method: not method.get("Deshabilitado")),
}
CUSTOM_FIELD_FILTERS: Filters = {
    "idsCustomData": one_of("Id"),
    "types": one_of("Type"),
    "name": contains("Name"),
    "targetClass": passing(lambda _, field, wanted: field.get("targetClass") is None or field["targetClass"] in wanted),
    "hidden": yes_no(lambda _, field: bool(field.get("Hidden"))),
    "required": yes_no(lambda _, field: bool(field.get("Required"))),
}
SUPPLIER_FILTERS: Filters = {
    "idsProveedor": one_of("Id"),
    "cif": Filter(_tax_id),
    "nombre": contains("Nombre", "NombreAlias"),
    "email": contains("Email"),
    "modalidadPago": one_of("ModalidadPago"),
    "genera347_349": yes_no(lambda _, supplier: not supplier.get("Excluir347349")),
    "idsEntitiesStages": one_of("IdEntityStage"),
    "customDataValues": custom_data(),
    "habilitado": yes_no(lambda _, supplier: not supplier.get("Deshabilitado")),
}

OPERATIONS: dict[str, Operation] = {
    "Oficina_SEARCH": _offices,
    "FormaPago_SEARCH": _payment_methods,
    "EntityStages_GET": _stages,
    "CustomData_SEARCH": _custom_fields,
    "CustomData_POST": _new_custom_field,
    "Proveedor_SEARCH": _suppliers,
}
