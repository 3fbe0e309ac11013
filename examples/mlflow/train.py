"""Gradient descent on a toy regression, logged as any training is that uses MLflow: parameters once, metrics at every step.

It knows nothing of rowcast. Where MLflow keeps its tables is in MLFLOW_TRACKING_URI.
"""

import random

import mlflow

STEPS = 40

# Slow, good, and so much too large that the loss becomes infinite, and then no number at all.
LEARNING_RATES = (0.02, 0.3, 1e9)


def examples(count=64):
    """Points near y = 3x - 1."""
    chance = random.Random(1)
    for _ in range(count):
        x = chance.uniform(-1, 1)
        yield x, 3 * x - 1 + chance.gauss(0, 0.1)


def train(points, learning_rate):
    """Yields what there is to say of each step."""
    weight = bias = 0.0
    for _ in range(STEPS):
        errors = [weight * x + bias - y for x, y in points]
        # Not error ** 2, which is an exception where it should be infinite.
        loss = sum(error * error for error in errors) / len(points)
        yield {"loss": loss, "weight": weight, "bias": bias}
        weight -= learning_rate * 2 * sum(error * x for error, (x, _) in zip(errors, points)) / len(points)
        bias -= learning_rate * 2 * sum(errors) / len(points)


def main():
    points = list(examples())
    mlflow.set_experiment("toy regression")
    for learning_rate in LEARNING_RATES:
        with mlflow.start_run():
            mlflow.log_params({"learning_rate": learning_rate, "points": len(points)})
            for step, metrics in enumerate(train(points, learning_rate)):
                mlflow.log_metrics(metrics, step=step)


if __name__ == "__main__":
    main()
