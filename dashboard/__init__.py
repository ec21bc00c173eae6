"""The dashboard: Streamlit pages that talk to the API over HTTP, and to nothing else."""
