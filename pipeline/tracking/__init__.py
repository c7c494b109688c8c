"""Experiments in MLflow. The only package that imports mlflow; nothing leaves the machine."""
