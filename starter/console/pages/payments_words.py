"""Spanish words for states, causes, verdicts and commands of payments, and for the reasons why a command is off."""

from __future__ import annotations

import re
from collections.abc import Callable

from domain.payment_sync import CAUSES, Kind, State, Verdict
from starter.console import labels
from starter.console.languages import N_

labels.add(
    "sync_state",
    {
        "unsynchronised": N_("Pagado sin sincronizar"),
        State.REQUESTED: N_("Pendiente"),
        State.EXPIRED: N_("Vencida"),
        State.CANCELLED: N_("Cancelada"),
        State.CAPTURED: N_("Pagado sin sincronizar (recibido)"),
        State.SYNCING: N_("Pagado sin sincronizar (en curso)"),
        State.SYNC_UNKNOWN: N_("Pagado sin sincronizar (resultado incierto)"),
        State.RETRY_WAIT: N_("Pagado sin sincronizar (se reintentará)"),
        State.UNSYNCED: N_("Pagado sin sincronizar (por decidir)"),
        State.IN_REVIEW: N_("Pagado sin sincronizar (en revisión)"),
        State.DUPLICATE: N_("Pagado sin sincronizar (duplicado)"),
        State.AWAITING_CUSTOMER: N_("Pagado sin sincronizar (pendiente del cliente)"),
        State.CREDITING: N_("Pagado sin sincronizar (abonando a otra cuota)"),
        State.REFUND_REQUESTED: N_("Devolución solicitada"),
        State.REFUND_FAILED: N_("Devolución fallida"),
        State.SYNCED_AUTO: N_("Pagado"),
        State.SYNCED_MANUAL: N_("Pagado (manual)"),
        State.CREDITED: N_("Pagado (abonado a otra cuota)"),
        State.REFUNDED: N_("Devuelto"),
        State.CHARGED_BACK: N_("Contracargo"),
    },
)
labels.add(
    "cause",
    {
        "": N_("sin incidencia"),
        "transient": N_("el ERP no responde"),
        "contract": N_("el ERP ha cambiado"),
        "unknown": N_("resultado incierto"),
        "auth": N_("el ERP rechaza el acceso"),
        "business": N_("el ERP lo rechaza"),
        "already_paid": N_("el ERP dice que ya está pagado"),
        "same_payment": N_("ya está en el ERP"),
        "paid_otherwise": N_("pagado por otro medio"),
        "inconclusive": N_("recibo sin código"),
        "partial": N_("pagado en parte"),
        "no_target": N_("sin documento que cobrar"),
        "mismatch": N_("no coincide"),
        "unverified": N_("no se pudo comprobar"),
        "reversed": N_("anulado en el ERP"),
        "undone": N_("marca manual deshecha"),
        "other": N_("otro motivo"),
    },
)
labels.add(
    "verdict",
    {
        Verdict.UNPAID: N_("pendiente de pago"),
        Verdict.SAME_PAYMENT: N_("el mismo cobro"),
        Verdict.PAID_OTHERWISE: N_("pagado por otro medio"),
        Verdict.INCONCLUSIVE: N_("no concluyente"),
        Verdict.PARTIAL: N_("pagado en parte"),
        Verdict.NO_TARGET: N_("sin documento que cobrar"),
        Verdict.MISMATCH: N_("no coincide"),
        Verdict.UNVERIFIED: N_("no se pudo comprobar"),
    },
)
labels.add(
    "payment_command",
    {
        Kind.CLAIM: N_("Revisarlo yo"),
        Kind.RELEASE: N_("Dejar de revisarlo"),
        Kind.SYNC_NOW: N_("Sincronizar ahora"),
        Kind.SYNC_MANUALLY: N_("Sincronizar manualmente"),
        Kind.DECLARE_DUPLICATE: N_("Declarar duplicado"),
        Kind.ASK_CUSTOMER: N_("Preguntar al cliente"),
        Kind.CHOOSE_CREDIT: N_("Abonar a otra cuota"),
        Kind.CHOOSE_REFUND: N_("Devolver el dinero"),
        Kind.REFUND_DONE: N_("Confirmar la devolución"),
        Kind.RETRY_REFUND: N_("Pedir otra vez la devolución"),
        Kind.UNDO_MANUAL: N_("Deshacer la marca manual"),
    },
)
labels.add(
    "payment_event",
    {
        Kind.EXPIRED: N_("plazo de la solicitud vencido"),
        Kind.CANCELLED: N_("solicitud cancelada"),
        Kind.CAPTURED: N_("cobrado"),
        Kind.START: N_("intento de sincronización"),
        Kind.PROBED: N_("consulta al ERP"),
        Kind.ACKNOWLEDGED: N_("confirmado por el ERP"),
        Kind.FAILED: N_("error"),
        Kind.PROBES_EXHAUSTED: N_("búsquedas agotadas"),
        Kind.CLAIM: N_("revisión empezada"),
        Kind.RELEASE: N_("revisión terminada"),
        Kind.SYNC_NOW: N_("sincronizar ahora"),
        Kind.SYNC_MANUALLY: N_("sincronizado manualmente"),
        Kind.DECLARE_DUPLICATE: N_("declarado duplicado"),
        Kind.ASK_CUSTOMER: N_("cliente preguntado"),
        Kind.CHOOSE_CREDIT: N_("elegido el abono"),
        Kind.CHOOSE_REFUND: N_("elegida la devolución"),
        Kind.UNANSWERED: N_("sin respuesta del cliente"),
        Kind.REFUND_DONE: N_("devolución hecha"),
        Kind.REFUND_REFUSED: N_("devolución rechazada"),
        Kind.RETRY_REFUND: N_("devolución pedida otra vez"),
        Kind.REVERSED: N_("anulado en el ERP"),
        Kind.UNDO_MANUAL: N_("marca manual deshecha"),
        Kind.CHARGEBACK: N_("contracargo"),
        Kind.SPLIT_DETECTED: N_("pago parcial detectado"),
        Kind.HELD: N_("retenido: el ERP no está disponible"),
    },
)

_REASONS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), text)
    for pattern, text in (
        (r"(?P<system>\w+) takes hotel only, this is (?P<what>\w+)",
         N_("%(system)s solo admite hoteles; esto es %(what)s")),
        (r"\w+ is not possible while a payment is (?P<state>\w+)", N_("no es posible en este estado: %(state)s")),
        (r"\w+ is not for an? (?P<role>\w+)", N_("no está permitido a su función")),
        (r"the role \w+ looks on", N_("su función solo permite consultar")),
        (r"(?P<name>\S+) is looking at it", N_("lo está revisando %(name)s")),
        (r"look at the ERP first: .*", N_("primero hay que consultar el ERP")),
        (r"the ERP says (?P<verdict>\w+): (?P<words>.*)", N_("el ERP dice «%(verdict)s»: %(words)s")),
        (r"only (?P<amount>[\d.,]+ \w{3}) are open", N_("solo quedan pendientes %(amount)s")),
        (r"only a person may say so", N_("solo puede decirlo una persona")),
        (r"an explanation of at least (?P<number>\d+) characters is needed",
         N_("hace falta una explicación de al menos %(number)s caracteres")),
        (r"the ERP shows (?P<verdict>\w+): (?P<words>.*); only a supervisor may overrule that",
         N_("el ERP muestra «%(verdict)s»: %(words)s; solo un supervisor puede decidir otra cosa")),
        (r"the ERP shows nothing yet; only a supervisor may overrule that",
         N_("el ERP aún no se ha consultado; solo un supervisor puede decidir otra cosa")),
        (r"overruling the ERP needs a second explanation of at least (?P<number>\d+) characters",
         N_("contradecir al ERP exige una segunda explicación, distinta, de al menos %(number)s caracteres")),
        (r"the ERP does not show that something else settled the receivable",
         N_("el ERP no muestra que esté pagado por otro medio")),
        (r"it was marked more than (?P<number>\d+) days ago", N_("se marcó hace más de %(number)s días")),
        (r"the ERP could not be asked: (?P<words>.*)", N_("no se pudo consultar el ERP: %(words)s")),
        (r"nothing is open to which the money could be credited", N_("no hay ninguna cuota pendiente a la que abonarlo")),
        (r"name the processor's reference of the refund", N_("indique la referencia de la devolución")),
        (r"its workflow does not run any more: .*", N_("su proceso ya ha terminado")),
        (r"Temporal does not answer.*", N_("Temporal no responde: no se ha hecho nada, inténtelo más tarde")),
        (r"\w+ has the role \w+; this needs at least \w+", N_("no está permitido a su función")),
        (r"receipt (?P<id>\S+) carries our key", N_("el recibo %(id)s lleva nuestra clave")),
        (r"receipt (?P<id>\S+) has the same code", N_("el recibo %(id)s tiene el mismo código")),
        (r"receipt (?P<id>\S+) has our code and another amount",
         N_("el recibo %(id)s tiene nuestro código y otro importe")),
        (r"receipt (?P<id>\S+) of the gateway has no code", N_("el recibo %(id)s de la pasarela no tiene código")),
        (r"the receivable does not exist", N_("no existe el documento que se cobra")),
        (r"the receivable is in (?P<currency>[A-Z]{3})", N_("el documento que se cobra está en %(currency)s")),
        (r"the receivable is (cancelled|credited)", N_("el documento que se cobra está anulado o abonado")),
        (r"the receivable is paid by receipt (?P<id>\S+) \((?P<method>.*)\)",
         N_("está pagado con el recibo %(id)s (%(method)s)")),
        (r"the receivable is paid and shows no receipt", N_("está pagado y no muestra ningún recibo")),
        (r"(?P<amount>[\d.,]+ \w{3}) are open and no receipt is ours",
         N_("quedan pendientes %(amount)s y ningún recibo es nuestro")),
        (r"nobody knows whether it arrived", N_("nadie sabe si llegó")),
        (r"a receipt was sent already and nobody knows yet whether it arrived",
         N_("ya se envió un recibo y aún no se sabe si llegó")),
        (r"reversed in ERP", N_("anulado en el ERP")),
        (r"manual mark undone", N_("marca manual deshecha")),
    )
)  # fmt: skip


def in_words(reason: str, say: Callable[..., str]) -> str:
    """Why a command is off, or what a look at the ERP says, in the visitor's language; other systems' words stay."""
    if reason in CAUSES:
        return say(labels.label("cause", reason))
    for pattern, text in _REASONS:
        found = pattern.fullmatch(reason)
        if found is not None:
            told = found.groupdict()
            for kind, name in (("sync_state", "state"), ("verdict", "verdict")):
                if name in told:
                    told[name] = say(labels.label(kind, told[name]))
            if "words" in told:
                told["words"] = in_words(told["words"], say)
            return say(text, **told)
    return reason
