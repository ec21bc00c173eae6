"""Other people's models: a weights file and a manifest that says what goes in and what comes out.

>>> from ecg_core.guests.adding import add_guest
>>> added = add_guest("mine", Path("mine.onnx"), Path("mine.toml"))

A manifest is checked word by word (`ecg_core.guests.spec`) and the model run once before it is added. ONNX graphs run
in this process; Keras files and SavedModels in a process of their own (`ecg_core.guests.keras_process`), since
TensorFlow is large and a model file can hold code. Add only models that you trust.
"""
