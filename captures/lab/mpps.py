"""Modality performed procedure steps with odil (PS3.4 annex F): N-CREATE when an examination starts, N-SET when it ends.

Usage: mpps.py serve PORT | mpps.py step HOST PORT CALLING_AE CALLED_AE UID MODALITY STUDY_UID PATIENT_ID
"""

import sys
import time

import odil

SOP_CLASS = "1.2.840.10008.3.1.2.3.3"
SYNTAXES = ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2"]
SECRET = "Quelldorn-7704-Geheim"  # no output of IoTGuard may contain it
Context = odil.AssociationParameters.PresentationContext


def serve(port):
    while True:
        association = odil.Association()
        association.receive_association("v4", int(port))
        answer(association)


def answer(association):
    ok = lambda *_: 0x0000
    create, change, echo = odil.NCreateSCP(association), odil.NSetSCP(association), odil.EchoSCP(association)
    create.set_callback(ok)
    change.set_callback(ok)
    echo.set_callback(ok)
    dispatcher = odil.SCPDispatcher(association)
    dispatcher.set_ncreate_scp(create)
    dispatcher.set_nset_scp(change)
    dispatcher.set_echo_scp(echo)
    try:
        while True:
            dispatcher.dispatch()
    except (odil.AssociationReleased, odil.AssociationAborted, odil.Exception):
        pass  # one association at a time; whatever ended it, the next may come


def step(host, port, calling, called, uid, modality, study, patient):
    association = odil.Association()
    association.set_peer_host(host)
    association.set_peer_port(int(port))
    association.update_parameters().set_calling_ae_title(calling).set_called_ae_title(called) \
        .set_presentation_contexts([Context(1, SOP_CLASS, SYNTAXES, Context.Role.SCU)]) \
        .set_user_identity_to_username_and_password("modality", SECRET)
    association.associate()
    progress = odil.DataSet()
    progress.add("PerformedProcedureStepStatus", ["IN PROGRESS"])
    progress.add("PerformedProcedureStepStartDate", [time.strftime("%Y%m%d")])
    progress.add("PerformedStationAETitle", [calling])
    progress.add("Modality", [modality])
    progress.add("PatientID", [patient])
    reference = odil.DataSet()
    reference.add("StudyInstanceUID", [study])
    progress.add("ScheduledStepAttributesSequence", [reference])
    create = odil.messages.NCreateRequest(association.next_message_id(), SOP_CLASS, progress)
    create.get_command_set().add("AffectedSOPInstanceUID", [uid])  # the modality names the step, PS3.4 F.7.2.1
    association.send_message(create, SOP_CLASS)
    association.receive_message()
    time.sleep(2)
    done = odil.DataSet()
    done.add("PerformedProcedureStepStatus", ["COMPLETED"])
    done.add("PerformedProcedureStepEndDate", [time.strftime("%Y%m%d")])
    association.send_message(odil.messages.NSetRequest(association.next_message_id(), SOP_CLASS, uid, done), SOP_CLASS)
    association.receive_message()
    association.release()


if __name__ == "__main__":
    {"serve": serve, "step": step}[sys.argv[1]](*sys.argv[2:])
