"""Synthetic DICOM files: studies of four modalities, and worklist entries."""

import pathlib
import subprocess
import warnings

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

warnings.filterwarnings("ignore")

STUDY_DATE = "20260401"
MODALITIES = {
    #        SOP class                        rows cols bits samples images  manufacturer            model          serial      software
    "CT": ("1.2.840.10008.5.1.4.1.1.2", 72, 72, 16, 1, 5, "Siemens Healthineers", "SOMATOM Lab", "CT-00417", "VB20A-LAB"),
    "MR": ("1.2.840.10008.5.1.4.1.1.4", 56, 56, 16, 1, 5, "GE MEDICAL SYSTEMS", "SIGNA Lab", "MR-10932", "DV26.0-LAB"),
    "US": ("1.2.840.10008.5.1.4.1.1.6.1", 90, 120, 8, 3, 3, "Philips Medical Systems", "EPIQ Lab", "US-55021", "7.0.5-LAB"),
    "CR": ("1.2.840.10008.5.1.4.1.1.1", 160, 128, 16, 1, 1, "FUJIFILM Corporation", "FCR Lab", "CR-20711", "A11-LAB"),
}


class Objects:
    def __init__(self, folder, chance):
        self.folder, self.chance = pathlib.Path(folder), chance
        self.counter = 0

    def uid(self):
        self.counter += 1
        return f"2.25.{self.chance.getrandbits(120)}"  # PS3.5 B.2

    def study(self, modality, patient, station, date=STUDY_DATE):
        """Writes one study and returns (study UID, its files)."""
        sop_class, rows, columns, bits, samples, count, maker, model, serial, software = MODALITIES[modality]
        study_uid, series_uid = self.uid(), self.uid()
        folder = self.folder / f"{modality}-{self.counter:05d}"
        folder.mkdir(parents=True)
        files = []
        for number in range(1, count + 1):
            ds = Dataset()
            ds.SpecificCharacterSet = "ISO_IR 192"
            ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
            ds.SOPClassUID, ds.SOPInstanceUID = sop_class, self.uid()
            ds.StudyDate = ds.SeriesDate = date
            ds.StudyTime = ds.SeriesTime = f"{self.chance.randrange(6, 20):02d}{self.chance.randrange(60):02d}00"
            ds.AccessionNumber = patient.accession
            ds.Modality, ds.Manufacturer, ds.InstitutionName = modality, maker, "Invented General Hospital"
            ds.StationName, ds.ManufacturerModelName = station, model
            ds.StudyDescription, ds.SeriesDescription = f"{modality} {patient.finding}", "axial"
            ds.PatientName = f"{patient.family}^{patient.given}"
            ds.PatientID, ds.PatientBirthDate, ds.PatientSex = patient.id, patient.birth_date, patient.sex
            ds.DeviceSerialNumber, ds.SoftwareVersions = serial, software
            ds.StudyInstanceUID, ds.SeriesInstanceUID = study_uid, series_uid
            ds.StudyID, ds.SeriesNumber, ds.InstanceNumber = "1", 1, number
            item = Dataset()  # a nested sequence, as real objects have
            item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, self.uid()
            ds.ReferencedImageSequence = Sequence([item])
            ds.SamplesPerPixel = samples
            ds.PhotometricInterpretation = "RGB" if samples == 3 else "MONOCHROME2"
            if samples == 3:
                ds.PlanarConfiguration = 0
            ds.Rows, ds.Columns = rows, columns
            ds.BitsAllocated = ds.BitsStored = bits
            ds.HighBit, ds.PixelRepresentation = bits - 1, 0
            ds.PixelData = self._pixels(rows, columns, bits, samples)
            ds["PixelData"].VR = "OW" if bits == 16 else "OB"
            files.append(self._write(ds, folder / f"{number:04d}.dcm", ExplicitVRLittleEndian if number % 2 else ImplicitVRLittleEndian))
        if modality == "US":
            files = [self._compress(f) for f in files]
        return study_uid, files

    def _pixels(self, rows, columns, bits, samples):
        """A disc of noise on a black ground."""
        width = columns * samples * bits // 8
        lines = []
        for y in range(rows):
            half = max(0, 1 - (2 * y / rows - 1) ** 2) ** 0.5
            inside = int(width * half) // 4 * 2
            margin = (width - 2 * (inside // 2)) // 2
            lines.append((bytes(margin) + self.chance.randbytes(inside // 2 * 2) + bytes(width))[:width])
        return b"".join(lines)

    @staticmethod
    def _write(ds, path, syntax):
        ds.file_meta = FileMetaDataset()
        ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
        ds.file_meta.TransferSyntaxUID = syntax
        ds.is_little_endian, ds.is_implicit_VR = True, syntax == ImplicitVRLittleEndian
        pydicom.dcmwrite(path, ds, write_like_original=False)
        return path

    @staticmethod
    def _compress(path):
        jpeg = path.with_suffix(".jpg.dcm")
        subprocess.run(["dcmcjpeg", "+eb", "+un", path, jpeg], check=True, capture_output=True)
        path.unlink()
        return jpeg

    def worklist(self, folder, title, entries):
        """Writes worklist files for wlmscpfs: one scheduled step per (patient, modality, station)."""
        folder = pathlib.Path(folder) / title
        folder.mkdir(parents=True)
        (folder / "lockfile").touch()
        for number, (patient, modality, station) in enumerate(entries, 1):
            ds = Dataset()
            ds.SpecificCharacterSet = "ISO_IR 192"
            ds.AccessionNumber = patient.accession
            ds.ReferringPhysicianName = "Refer^Ring"
            ds.PatientName, ds.PatientID = f"{patient.family}^{patient.given}", patient.id
            ds.PatientBirthDate, ds.PatientSex = patient.birth_date, patient.sex
            ds.StudyInstanceUID = self.uid()
            ds.RequestedProcedureDescription, ds.RequestedProcedureID = patient.finding, f"RP{number:04d}"
            step = Dataset()
            step.Modality, step.ScheduledStationAETitle = modality, station
            step.ScheduledProcedureStepStartDate, step.ScheduledProcedureStepStartTime = STUDY_DATE, f"{8 + number % 9:02d}0000"
            step.ScheduledPerformingPhysicianName = "Perform^Ing"
            step.ScheduledProcedureStepDescription, step.ScheduledProcedureStepID = f"{modality} routine", f"SPS{number:04d}"
            ds.ScheduledProcedureStepSequence = Sequence([step])
            ds.SOPClassUID, ds.SOPInstanceUID = "1.2.840.10008.5.1.4.31", self.uid()
            self._write(ds, folder / f"wl{number:04d}.wl", ExplicitVRLittleEndian)

    @staticmethod
    def query(path, **keys):
        """A query file for findscu and friends."""
        ds = Dataset()
        for keyword, value in keys.items():
            setattr(ds, keyword, value)
        ds.is_little_endian, ds.is_implicit_VR = True, False
        ds.SOPClassUID, ds.SOPInstanceUID = "1.2.840.10008.5.1.4.31", "2.25.1"
        return Objects._write(ds, path, ExplicitVRLittleEndian)
